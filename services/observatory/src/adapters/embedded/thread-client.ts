// Q1: the thread is at one question, and the others wait here: what it has begun cannot be interrupted, but what
// nobody waits for any more is never begun.
// Q2: writes go before reads, so that no flood of searches holds the projection up, and each kind in the order in
// which it was asked. Where writes do not end, as in a projection from the first event on, both get half of the time:
// one read after every fourth write was tried, and let six short reads a second through.
import { Worker } from "node:worker_threads";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import type { Answer, Question, ThreadSettings } from "./thread-messages.ts";

interface Asked {
  readonly question: Question;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What the projector asks, and what ends the thread; everything else reads. */
const WRITES: ReadonlySet<Question["ask"]> = new Set(["check", "apply", "reset", "close"]);
/** So much longer than the reads that wait for them writes may take, milliseconds. */
const PRECEDENCE_MS = 100;
/** At most so many reads, and so many writes, wait for a thread; beyond that the caller is told to come back. */
const WAITING_LIMIT = 500;
/** A statement cannot be interrupted, but its caller need not wait for it. */
const ANSWER_LIMIT_MS = 10_000;

/** One store thread as its service sees it: questions in, answers out, a new thread when one has died. */
export class ThreadClient {
  readonly #settings: ThreadSettings;
  readonly #clock: Clock;
  readonly #writes = new Set<Asked>();
  readonly #reads = new Set<Asked>();
  #worker: Worker | undefined;
  /** What the thread is at. */
  #posted: Asked | undefined;
  #postedMs = 0;
  /** How much longer writes took than reads while both waited; below 0 where it was the other way round. */
  #aheadMs = 0;
  #closed = false;

  constructor(settings: ThreadSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * Asks the thread. The caller says what the answer is; `thread-messages.ts` and the thread agree on it.
   *
   * @param signal - ended when nobody waits for the answer any more
   */
  ask<T>(question: Question, signal?: AbortSignal): Promise<T> {
    if (this.#closed) return Promise.reject(unavailable("the read model is closed"));
    if (signal?.aborted === true) return Promise.reject(unwanted());
    const queue = WRITES.has(question.ask) ? this.#writes : this.#reads;
    if (queue.size >= WAITING_LIMIT) {
      const detail = `${WAITING_LIMIT} searches wait here already.`;
      return Promise.reject(new Fault("OVERLOADED", { detail, retryAfterMs: 1_000 }));
    }
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => reject(late()), ANSWER_LIMIT_MS);
    const leave = () => reject(unwanted());
    signal?.addEventListener("abort", leave);
    const asked = { question, resolve, reject };
    queue.add(asked);
    this.#postNext();
    const settled = promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", leave);
      queue.delete(asked);
    });
    return settled as Promise<T>;
  }

  /** Answers what was asked before, closes the file and ends the thread, whether it can still say so or not. */
  async close(): Promise<void> {
    if (this.#closed) return;
    const worker = this.#worker;
    const closing = worker === undefined ? undefined : this.ask({ ask: "close" });
    this.#closed = true;
    await closing?.catch(() => undefined);
    await worker?.terminate();
  }

  #postNext(): void {
    if (this.#posted !== undefined) return;
    const readsTurn = this.#reads.size > 0 && this.#aheadMs > PRECEDENCE_MS;
    const queue = readsTurn || this.#writes.size === 0 ? this.#reads : this.#writes;
    const [next] = queue;
    if (next === undefined) return;
    queue.delete(next);
    this.#thread().postMessage(next.question);
    this.#posted = next;
    this.#postedMs = this.#clock.monotonicMs();
  }

  #takePosted(): Asked | undefined {
    const posted = this.#posted;
    this.#posted = undefined;
    const tookMs = this.#clock.monotonicMs() - this.#postedMs;
    if (posted === undefined || this.#writes.size === 0) this.#aheadMs = 0;
    else if (!WRITES.has(posted.question.ask)) this.#aheadMs -= tookMs;
    else if (this.#reads.size > 0) this.#aheadMs += tookMs;
    return posted;
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./store-thread.ts", import.meta.url), {
      workerData: this.#settings,
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 },
    });
    worker.on("message", (answer: Answer) => {
      if (this.#worker !== worker) return;
      const posted = this.#takePosted();
      this.#postNext();
      if ("error" in answer) {
        posted?.reject(answer.passing ? unavailable(answer.error) : new Error(answer.error));
      } else posted?.resolve(answer.value);
    });
    worker.on("error", (error) => this.#lose(worker, error));
    worker.on("exit", () => this.#lose(worker, new Error("the thread ended")));
    this.#worker = worker;
    return worker;
  }

  #lose(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#posted?.reject(unavailable(error.message));
    this.#posted = undefined;
    for (const queue of [this.#writes, this.#reads]) {
      for (const asked of queue) asked.reject(unavailable(error.message));
      queue.clear();
    }
  }
}

function late(): Fault {
  const detail = `The read model did not answer within ${ANSWER_LIMIT_MS / 1_000} s.`;
  return new Fault("DEADLINE_EXCEEDED", { detail });
}

function unwanted(): Fault {
  return new Fault("CANCELLED", { detail: "Nobody waits for this answer any more." });
}

function unavailable(cause: string): Fault {
  const detail = "The read model's file cannot be used at the moment.";
  return new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: 1_000 }, { cause: new Error(cause) });
}
