import type { Clock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";
import { type Attempt, type LeaseRef, leaseKey } from "../domain/attempt.ts";
import { shareCredit } from "../domain/credit.ts";
import {
  type HeldLease,
  isKept,
  type StopCause,
  stopDue,
  trustedUntil,
  wordFor,
} from "../domain/held-lease.ts";
import type { AttemptResult, EngineLink, EngineListener, LeaseOutcome, TaskRunner } from "./ports.ts";
import { type Answered, ResultSender } from "./result-sender.ts";

const HEARTBEAT_LIMIT = 500;
/**
 * How long the first credit waits for the streams to the other replicas, so that it is shared from the start.
 */
const GATHER_MS = 250;

/** What the workbench tells of, for logs and metrics. Never an input or an output. */
export interface WorkbenchReport {
  /** The engine answered a result: `reason` is ACCEPTED, or why it was refused. */
  resultAnswered(result: { kind: "succeeded" | "failed" | "cancelled"; reason: string }): void;
  /** An attempt is over and its result was answered; times by the monotonic clock. */
  attemptOver(attempt: Attempt, times: { startedMs: number; endedMs: number; ok: boolean }): void;
  /** A lease was stopped because it can no longer be trusted, or a result was given up. */
  leaseDropped(lease: LeaseRef, cause: string): void;
  /** A task was refused an address. */
  addressRefused(attempt: Attempt): void;
}

export interface WorkbenchOptions {
  readonly slots: number;
  /** How many replicas of the engine there are; 1 or more. */
  readonly replicas: number;
  readonly clock: Clock;
  readonly runner: TaskRunner;
  readonly report: WorkbenchReport;
}

interface LinkState {
  credit: number;
}

/**
 * Holds every lease that this worker was granted, over whichever stream it came: a lease belongs to the
 * worker and not to the stream, so that a stream that breaks costs no attempt.
 */
export class Workbench implements EngineListener {
  readonly #options: WorkbenchOptions;
  readonly #sender: ResultSender;
  readonly #held = new Map<string, HeldLease>();
  readonly #links = new Map<EngineLink, LinkState>();
  #running = 0;
  #draining = false;
  #gathering: "not begun" | "begun" | "over" = "not begun";

  constructor(options: WorkbenchOptions) {
    this.#options = options;
    const ports = {
      links: () => [...this.#links.keys()],
      answered: (answers: readonly Answered[]) => this.#answered(answers),
      givenUp: (held: HeldLease) => this.#drop(held, "never answered"),
    };
    this.#sender = new ResultSender(ports, options.clock);
  }

  /** How many attempts run. */
  get running(): number {
    return this.#running;
  }

  /** How many attempts ended whose results the engine has not answered. */
  get unreported(): number {
    return this.#held.size - this.#running;
  }

  /** How many streams are open. */
  get openLinks(): number {
    return this.#links.size;
  }

  opened(link: EngineLink): void {
    this.#links.set(link, { credit: 0 });
    this.#gather();
    this.#grantCredit();
    this.#sender.flush();
  }

  closed(link: EngineLink): void {
    this.#links.delete(link);
    this.#grantCredit();
  }

  draining(link: EngineLink): void {
    this.#links.delete(link);
    link.finish();
    this.#grantCredit();
  }

  leased(link: EngineLink, attempts: readonly Attempt[]): void {
    const state = this.#links.get(link);
    if (state !== undefined) state.credit = Math.max(0, state.credit - attempts.length);
    if (this.#draining) {
      void this.#release(link, attempts);
      return;
    }
    const nowMs = this.#options.clock.monotonicMs();
    for (const attempt of attempts) {
      this.#held.set(leaseKey(attempt), {
        attempt,
        startedAtMs: nowMs,
        trustedUntilMs: trustedUntil(nowMs),
        stop: undefined,
        end: undefined,
        endedAtMs: 0,
        timesSent: 0,
      });
    }
    this.#running += attempts.length;
    this.#options.runner.start(attempts);
  }

  cancelAsked(leases: readonly LeaseRef[]): void {
    this.#stop(this.#heldAmong(leases), "cancelled");
  }

  /** What the runner calls when attempts ended. */
  readonly ended = (results: readonly AttemptResult[]): void => {
    const toTell: HeldLease[] = [];
    for (const result of results) {
      const held = this.#held.get(leaseKey(result));
      if (held === undefined || held.end !== undefined) continue;
      this.#running -= 1;
      const word = wordFor(held.stop, result.end);
      if (word === undefined) {
        this.#held.delete(leaseKey(result));
        continue;
      }
      if (word.kind === "failed" && word.error.type === "ADDRESS_REFUSED") {
        this.#options.report.addressRefused(held.attempt);
      }
      held.end = word;
      held.endedAtMs = this.#options.clock.monotonicMs();
      toTell.push(held);
    }
    this.#sender.add(toTell);
    this.#grantCredit();
  };

  /** Stops what has outlived its timeout, or the trust in its lease (L1). Call it several times a second. */
  sweep(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const due: Record<"lost" | "timeout", HeldLease[]> = { lost: [], timeout: [] };
    for (const held of this.#held.values()) {
      const cause = stopDue(held, nowMs);
      if (cause !== undefined) due[cause].push(held);
    }
    for (const held of due.lost) this.#drop(held, "not confirmed in time");
    this.#stop(due.timeout, "timeout");
  }

  /**
   * Keeps every lease by one round of heartbeats, dealt out among the open streams; each stream gets at least
   * an empty one. A stream that leaves its heartbeat unanswered for `answerMs` is closed.
   *
   * @param answerMs - milliseconds, well below the 13 s that a lease is trusted
   * @returns whether every lease was answered for; if not, beat again soon, over what is open then
   */
  async heartbeat(answerMs: number): Promise<boolean> {
    const links = [...this.#links.keys()];
    const kept = [...this.#held.values()].filter(isKept).map(({ attempt }) => attempt);
    if (links.length === 0) return kept.length === 0;
    const shares = links.map((_, turn) => kept.filter((_lease, index) => index % links.length === turn));
    const beats = links.map((link, turn) => this.#beat(link, shares[turn] ?? [], answerMs));
    return (await Promise.all(beats)).every(Boolean);
  }

  async #beat(link: EngineLink, leases: readonly LeaseRef[], answerMs: number): Promise<boolean> {
    const answered = new AbortController();
    void wait(answerMs, answered.signal).then(() => {
      if (!answered.signal.aborted) link.close("a heartbeat was not answered in time");
    });
    const askedAtMs = this.#options.clock.monotonicMs();
    const about = { draining: this.#draining };
    const chunks = leases.length === 0 ? [[]] : chunked(leases, HEARTBEAT_LIMIT);
    try {
      const answers = await Promise.all(chunks.map((chunk) => link.heartbeat(chunk, about)));
      for (const outcome of answers.flat()) this.#kept(outcome, askedAtMs);
      return true;
    } catch {
      return false; // the stream closed first; the next round goes over another
    } finally {
      answered.abort();
    }
  }

  /** Takes no more leases from here on; the next heartbeats say so. */
  stopLeasing(): void {
    this.#draining = true;
  }

  /** Stops what still runs and gives it back. Resolves when the engine has answered, or has gone. */
  async releaseAll(): Promise<void> {
    const running = [...this.#held.values()].filter((held) => held.end === undefined && isKept(held));
    this.#stop(running, "released");
    const [link] = this.#links.keys();
    if (link !== undefined)
      await this.#release(
        link,
        running.map(({ attempt }) => attempt),
      );
  }

  async #release(link: EngineLink, leases: readonly LeaseRef[]): Promise<void> {
    // A link that closes first leaves the leases to run out: the engine grants the jobs again within 15
    // seconds.
    await Promise.allSettled(chunked(leases, HEARTBEAT_LIMIT).map((chunk) => link.release(chunk)));
  }

  #kept(outcome: LeaseOutcome, askedAtMs: number): void {
    const held = this.#held.get(leaseKey(outcome));
    if (held === undefined) return;
    // A lease that is gone because its result has just been accepted is refused here as well: the result's
    // own answer is under way, and decides.
    if (!outcome.ok) {
      if (held.end === undefined) this.#drop(held, outcome.reason ?? "refused");
      return;
    }
    held.trustedUntilMs = trustedUntil(askedAtMs);
    if (outcome.cancelRequested) this.#stop([held], "cancelled");
  }

  #answered(answers: readonly Answered[]): void {
    for (const { held, outcome } of answers) {
      this.#held.delete(leaseKey(held.attempt));
      const reason = outcome.ok ? "ACCEPTED" : (outcome.reason ?? "UNKNOWN");
      this.#options.report.resultAnswered({ kind: held.end?.kind ?? "failed", reason });
      const times = { startedMs: held.startedAtMs, endedMs: held.endedAtMs };
      this.#options.report.attemptOver(held.attempt, { ...times, ok: held.end?.kind === "succeeded" });
    }
    this.#grantCredit();
  }

  #drop(held: HeldLease, cause: string): void {
    if (held.end !== undefined) this.#held.delete(leaseKey(held.attempt));
    else this.#stop([held], "lost");
    this.#options.report.leaseDropped(held.attempt, cause);
  }

  /** The first cause holds, except that a lease once lost or given back cannot be reported any more. */
  #stop(leases: readonly HeldLease[], cause: StopCause): void {
    const final = cause === "lost" || cause === "released";
    const toStop = leases.filter((held) => held.end === undefined && (held.stop === undefined || final));
    for (const held of toStop) held.stop = cause;
    if (toStop.length > 0) this.#options.runner.stop(toStop.map(({ attempt }) => attempt));
  }

  #heldAmong(leases: readonly LeaseRef[]): readonly HeldLease[] {
    return leases.flatMap((lease) => this.#held.get(leaseKey(lease)) ?? []);
  }

  /**
   * Credit cannot be taken back: the first is given when every replica can have its share, or shortly after.
   */
  #gather(): void {
    if (this.#links.size >= this.#options.replicas) this.#gathering = "over";
    if (this.#gathering !== "not begun") return;
    this.#gathering = "begun";
    void wait(GATHER_MS).then(() => {
      this.#gathering = "over";
      this.#grantCredit();
    });
  }

  #grantCredit(): void {
    if (this.#draining || this.#gathering !== "over") return;
    const takers = [...this.#links];
    const load = { slots: this.#options.slots, running: this.#running, unreported: this.unreported };
    const shares = shareCredit(
      load,
      takers.map(([, { credit }]) => credit),
    );
    takers.forEach(([link, state], index) => {
      const more = shares[index] ?? 0;
      if (more === 0) return;
      state.credit += more;
      link.grantCredit(more);
    });
  }
}

function chunked<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
