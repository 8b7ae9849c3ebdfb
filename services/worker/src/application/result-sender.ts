import type { Clock } from "@orrery/mesh/time/clock";
import { type HeldLease, isHopeless } from "../domain/held-lease.ts";
import type { AttemptResult, EngineLink, LeaseOutcome } from "./ports.ts";

const BATCH_LIMIT = 500;
/** Outputs in one message, in characters of JSON beyond the first; far below what a message may hold. */
const BATCH_LIMIT_CHARACTERS = 768 * 1024;
const IN_FLIGHT_LIMIT = 2;
/**
 * A result that has seen so many streams break is sent alone: should it be the cause, its neighbours get
 * through.
 */
const SUSPECT_SENDS = 3;

/** A result, and what the engine said to it. */
export interface Answered {
  readonly held: HeldLease;
  readonly outcome: LeaseOutcome;
}

/** What the sender asks of its surroundings. */
export interface SenderPorts {
  /** The open links, any of which takes any result. */
  links(): readonly EngineLink[];
  /** Results were answered. */
  answered(answers: readonly Answered[]): void;
  /** One result was given up: it is hopeless. Its lease runs out, and the engine decides. */
  givenUp(held: HeldLease): void;
}

/**
 * Sends results in batches of what is in hand: at most two messages are under way on a link, and what ends
 * meanwhile is the next batch. No timer: a lone result leaves at once. A result whose answer was lost with
 * its stream is sent again over another; the engine recognises it.
 */
export class ResultSender {
  readonly #ports: SenderPorts;
  readonly #clock: Clock;
  readonly #inFlight = new Map<EngineLink, number>();
  /** What could not be told over them once is not told over them again. */
  readonly #broken = new WeakSet<EngineLink>();
  #waiting: HeldLease[] = [];

  constructor(ports: SenderPorts, clock: Clock) {
    this.#ports = ports;
    this.#clock = clock;
  }

  /** Takes ends that are to be told. */
  add(ended: readonly HeldLease[]): void {
    this.#waiting.push(...ended);
    this.flush();
  }

  /** Sends what waits, as far as the links have room. Call it when a link opened. */
  flush(): void {
    while (this.#waiting.length > 0) {
      const link = this.#leastBusy();
      if (link === undefined) return;
      void this.#send(link, this.#nextBatch());
    }
  }

  #leastBusy(): EngineLink | undefined {
    const [least] = this.#ports
      .links()
      .filter((link) => !this.#broken.has(link))
      .map((link) => ({ link, busy: this.#inFlight.get(link) ?? 0 }))
      .filter(({ busy }) => busy < IN_FLIGHT_LIMIT)
      .sort((one, other) => one.busy - other.busy);
    return least?.link;
  }

  #nextBatch(): readonly HeldLease[] {
    let characters = 0;
    let count = 0;
    for (const held of this.#waiting.slice(0, BATCH_LIMIT)) {
      characters += weight(held);
      const full = characters > BATCH_LIMIT_CHARACTERS || held.timesSent >= SUSPECT_SENDS;
      if (count > 0 && full) break;
      count += 1;
      if (held.timesSent >= SUSPECT_SENDS) break;
    }
    return this.#waiting.splice(0, count);
  }

  async #send(link: EngineLink, batch: readonly HeldLease[]): Promise<void> {
    this.#inFlight.set(link, (this.#inFlight.get(link) ?? 0) + 1);
    for (const held of batch) held.timesSent += 1;
    try {
      const outcomes = await link.report(batch.flatMap(resultOf));
      this.#ports.answered(
        batch.flatMap((held, index) => {
          const outcome = outcomes[index];
          return outcome === undefined ? [] : [{ held, outcome }];
        }),
      );
    } catch (failure) {
      // The stream closed before the answer: the outcome is unknown, and the same result sent again is
      // harmless. A stream that is open none the less could not take it, and would not a moment later either.
      this.#broken.add(link);
      link.close(`a result was not told: ${failure instanceof Error ? failure.message : "unknown"}`);
      const nowMs = this.#clock.monotonicMs();
      const hopeless = batch.filter((held) => isHopeless(held, nowMs));
      for (const held of hopeless) this.#ports.givenUp(held);
      this.#waiting.unshift(...batch.filter((held) => !hopeless.includes(held)));
    } finally {
      const busy = (this.#inFlight.get(link) ?? 1) - 1;
      if (busy > 0) this.#inFlight.set(link, busy);
      else this.#inFlight.delete(link);
    }
    this.flush();
  }
}

function resultOf({ attempt: { jobId, leaseEpoch }, end }: HeldLease): readonly AttemptResult[] {
  return end === undefined ? [] : [{ jobId, leaseEpoch, end }];
}

function weight({ end }: HeldLease): number {
  if (end === undefined) return 0;
  return end.kind === "succeeded" ? (end.outputJson?.length ?? 0) : end.error.message.length;
}
