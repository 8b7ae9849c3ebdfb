import { Worker } from "node:worker_threads";
import { wait } from "@orrery/mesh/time/wait";
import type { AttemptResult, TaskListener, TaskRunner } from "../../application/ports.ts";
import { type Attempt, type LeaseRef, leaseKey } from "../../domain/attempt.ts";
import type { ToPool, ToThread } from "./task-messages.ts";

const THREAD = new URL("./task-thread.ts", import.meta.url);
const HEAP_LIMIT_MIB = 192;
/** How long a handler may take to end after it was told to; then its thread is ended with it. */
const STOP_MS = 5_000;
/** A thread that dies so many times in a row before it is ready will never be. */
const STILLBIRTH_LIMIT = 3;

export interface TaskPoolOptions {
  /** How many threads; each runs many attempts at once. */
  readonly threads: number;
  /** Handed to each thread. */
  readonly settings: object;
  /** The thread's program; the built-in tasks unless set. */
  readonly thread?: URL;
  readonly listener: TaskListener;
  /** Hears of a thread that died. Its attempts have failed, and another thread has taken its place. */
  readonly onDied: (cause: unknown) => void;
}

/**
 * Runs attempts in threads of their own: a handler that computes without pause, or dies, holds up neither the
 * streams nor the heartbeats of the process.
 */
export class TaskPool implements TaskRunner, AsyncDisposable {
  readonly #options: TaskPoolOptions;
  readonly #threads: TaskThread[];

  constructor(options: TaskPoolOptions) {
    this.#options = options;
    this.#threads = Array.from({ length: options.threads }, () => new TaskThread(options));
  }

  start(attempts: readonly Attempt[]): void {
    const most = Math.ceil(attempts.length / this.#options.threads);
    const idlest = this.#threads.toSorted((one, other) => one.running - other.running);
    idlest.forEach((thread, turn) => {
      const share = attempts.slice(turn * most, (turn + 1) * most);
      if (share.length > 0) thread.start(share);
    });
  }

  stop(leases: readonly LeaseRef[]): void {
    for (const thread of this.#threads) thread.stop(leases);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }
}

class TaskThread {
  readonly #options: TaskPoolOptions;
  readonly #running = new Map<string, LeaseRef>();
  #worker: Worker;
  #ready = false;
  #stillbirths = 0;
  readonly #closing = new AbortController();

  constructor(options: TaskPoolOptions) {
    this.#options = options;
    this.#worker = this.#open();
  }

  get running(): number {
    return this.#running.size;
  }

  start(attempts: readonly Attempt[]): void {
    for (const attempt of attempts) this.#running.set(leaseKey(attempt), attempt);
    this.#tell({ kind: "start", attempts });
  }

  stop(leases: readonly LeaseRef[]): void {
    const mine = leases.filter((lease) => this.#running.has(leaseKey(lease)));
    if (mine.length === 0) return;
    this.#tell({ kind: "stop", leases: mine });
    const worker = this.#worker;
    void wait(STOP_MS, this.#closing.signal).then(() => {
      const stuck = mine.some((lease) => this.#running.has(leaseKey(lease)));
      if (stuck && worker === this.#worker) void worker.terminate();
    });
  }

  async end(): Promise<void> {
    this.#closing.abort();
    await this.#worker.terminate();
  }

  #tell(message: ToThread): void {
    this.#worker.postMessage(message);
  }

  #open(): Worker {
    let cause: unknown = "its handler did not stop when told to";
    const worker = new Worker(this.#options.thread ?? THREAD, {
      workerData: this.#options.settings,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MIB },
    });
    worker.on("message", (message: ToPool) => this.#heard(message));
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", () => this.#died(cause));
    return worker;
  }

  #heard(message: ToPool): void {
    if (message.kind === "ready") {
      this.#ready = true;
      this.#stillbirths = 0;
      return;
    }
    for (const result of message.results) this.#running.delete(leaseKey(result));
    this.#options.listener(message.results);
  }

  #died(cause: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#stillbirths = this.#ready ? 0 : this.#stillbirths + 1;
    if (this.#stillbirths >= STILLBIRTH_LIMIT)
      throw new Error("the task thread cannot be started", { cause });
    this.#ready = false;
    this.#options.onDied(cause);
    const lost = [...this.#running.values()].map(failedWith);
    this.#running.clear();
    this.#worker = this.#open();
    if (lost.length > 0) this.#options.listener(lost);
  }
}

/** It counts as a failure and not as a release: a job that ends its thread has to run out of attempts. */
const failedWith = ({ jobId, leaseEpoch }: LeaseRef): AttemptResult => ({
  jobId,
  leaseEpoch,
  end: {
    kind: "failed",
    error: { type: "THREAD_DIED", message: "the thread that ran the attempt died", retryable: true },
  },
});
