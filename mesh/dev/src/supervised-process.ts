import { type ChildProcess, spawn } from "node:child_process";
import type { Account } from "./account.ts";
import type { LogFile } from "./log-file.ts";

/** What to start, and how to stop it. */
export interface Command {
  /** The name it is printed under: `postgres`, `jobs-0`. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly account?: Account | undefined;
  readonly log: LogFile;
  /** The signal that asks for an orderly end: SIGTERM unless said. */
  readonly stopSignal?: NodeJS.Signals;
  /** Milliseconds from that signal to SIGKILL, 10,000 unless said. */
  readonly stopWithinMs?: number;
  /** Done before each start, the first and every restart. */
  readonly prepare?: () => void;
}

/** What a process tells the one who supervises it. */
export interface ProcessEvents {
  started(process: SupervisedProcess): void;
  /** It ended without being asked to; it starts again after `againInMs`, 0 for the first death in a row. */
  died(process: SupervisedProcess, how: string, againInMs: number): void;
}

const BACKOFF_MS = { first: 0, second: 200, longest: 10_000, steadyAfter: 10_000 } as const;

/**
 * A process that is started again whenever it ends by itself: at once the first time, then after 200 ms,
 * doubling to 10 s; one that ran for 10 s begins anew. It is the head of its own process group, so that a
 * Ctrl-C at the terminal reaches the launcher alone and the stop keeps its order.
 */
export class SupervisedProcess {
  readonly command: Command;
  readonly #events: ProcessEvents;
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #again: NodeJS.Timeout | undefined;
  #startedAtMs = 0;
  #deathsInARow = 0;
  #state: "idle" | "running" | "backing_off" | "stopping" | "stopped" = "idle";

  constructor(command: Command, events: ProcessEvents) {
    this.command = command;
    this.#events = events;
  }

  get name(): string {
    return this.command.name;
  }

  /** The running process's id; undefined between an end and the next start. */
  get pid(): number | undefined {
    return this.#state === "running" ? this.#child?.pid : undefined;
  }

  /** How often it has ended by itself without having run for 10 s in between. */
  get deathsInARow(): number {
    return this.#deathsInARow;
  }

  /** Starts it. It is up when its own readiness says so, which is asked elsewhere. */
  start(): void {
    if (this.#state === "running" || this.#state === "stopping" || this.#state === "stopped") return;
    const { file, args, env, cwd, account, log, prepare } = this.command;
    prepare?.();
    const output = log.open();
    const child = spawn(file, [...args], {
      env,
      cwd,
      detached: true,
      stdio: ["ignore", output.descriptor, output.descriptor],
      ...(account && { uid: account.uid, gid: account.gid }),
    });
    output.close();
    this.#child = child;
    this.#state = "running";
    this.#startedAtMs = performance.now();
    this.#ended = new Promise((done) => {
      child.once("error", (error) => done(this.#onEnd(error.message)));
      child.once("exit", (code, signal) => done(this.#onEnd(signal ?? `exit code ${code}`)));
    });
    if (child.pid !== undefined) this.#events.started(this);
  }

  /**
   * Asks it to end, and kills its whole group when it has not after `stopWithinMs`. It is not started again.
   */
  async stop(): Promise<void> {
    clearTimeout(this.#again);
    const pid = this.pid;
    this.#state = pid === undefined ? "stopped" : "stopping";
    if (pid === undefined) return;
    process.kill(pid, this.command.stopSignal ?? "SIGTERM");
    const timer = setTimeout(() => killGroup(pid), this.command.stopWithinMs ?? 10_000);
    await this.#ended;
    clearTimeout(timer);
    this.#state = "stopped";
  }

  /** Kills it and what it started, at once, and does not start it again. */
  kill(): void {
    clearTimeout(this.#again);
    const pid = this.#child?.pid;
    const runs = this.#state === "running" || this.#state === "stopping";
    if (this.#state === "running") this.#state = "stopping";
    if (runs && pid !== undefined) killGroup(pid);
  }

  #onEnd(how: string): void {
    if (this.#state !== "running") return;
    this.#state = "backing_off";
    // What it had started must not hold its data when its successor comes (Elasticsearch is two processes).
    if (this.#child?.pid !== undefined) killGroup(this.#child.pid);
    const steady = performance.now() - this.#startedAtMs > BACKOFF_MS.steadyAfter;
    this.#deathsInARow = steady ? 1 : this.#deathsInARow + 1;
    const againInMs = backoffMs(this.#deathsInARow);
    this.#events.died(this, how, againInMs);
    this.#again = setTimeout(() => this.start(), againInMs);
  }
}

/** How long a process rests after so many deaths in a row. */
export function backoffMs(deathsInARow: number): number {
  if (deathsInARow <= 1) return BACKOFF_MS.first;
  return Math.min(BACKOFF_MS.second * 2 ** (deathsInARow - 2), BACKOFF_MS.longest);
}

/** Kills a process that was started here, and all that it started and that stayed in its group. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // nobody of the group is left, which is what was wanted
  }
}
