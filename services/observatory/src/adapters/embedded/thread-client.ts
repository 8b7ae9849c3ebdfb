import { Worker } from "node:worker_threads";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Answer, Question, ThreadSettings } from "./thread-messages.ts";

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** At most so many questions wait for a thread; beyond that the caller is told to come back. */
const WAITING_LIMIT = 500;
/** A statement cannot be interrupted, but its caller need not wait for it. */
const ANSWER_LIMIT_MS = 10_000;

/** One store thread as its service sees it: questions in, answers out, a new thread when one has died. */
export class ThreadClient {
  readonly #settings: ThreadSettings;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #asked = 0;
  #closed = false;

  constructor(settings: ThreadSettings) {
    this.#settings = settings;
  }

  /** Asks the thread. The caller says what the answer is; `thread-messages.ts` and the thread agree on it. */
  ask<T>(question: Question): Promise<T> {
    if (this.#closed) return Promise.reject(unavailable("the read model is closed"));
    if (this.#waiting.size >= WAITING_LIMIT) {
      const detail = "Too many searches at once.";
      return Promise.reject(new Fault("OVERLOADED", { detail, retryAfterMs: 1_000 }));
    }
    const number = ++this.#asked;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const timer = setTimeout(() => {
      this.#waiting.delete(number);
      const detail = "The read model took too long to answer.";
      reject(new Fault("DEADLINE_EXCEEDED", { detail }));
    }, ANSWER_LIMIT_MS);
    const settled =
      <V>(then: (value: V) => void) =>
      (value: V) => {
        clearTimeout(timer);
        then(value);
      };
    this.#waiting.set(number, { resolve: settled(resolve), reject: settled(reject) });
    this.#thread().postMessage({ number, question });
    return promise as Promise<T>;
  }

  async close(): Promise<void> {
    if (this.#worker === undefined || this.#closed) return;
    const worker = this.#worker;
    await this.ask({ ask: "close" });
    this.#closed = true;
    await worker.terminate();
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(new URL("./store-thread.ts", import.meta.url), {
      workerData: this.#settings,
      resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 8 },
    });
    worker.on("message", (answer: Answer) => {
      const waiting = this.#waiting.get(answer.number);
      this.#waiting.delete(answer.number);
      if ("error" in answer) {
        waiting?.reject(answer.passing ? unavailable(answer.error) : new Error(answer.error));
      } else waiting?.resolve(answer.value);
    });
    worker.on("error", (error) => this.#lose(worker, error));
    worker.on("exit", () => this.#lose(worker, new Error("the thread ended")));
    this.#worker = worker;
    return worker;
  }

  #lose(worker: Worker, error: Error): void {
    if (this.#worker === worker) this.#worker = undefined;
    for (const waiting of this.#waiting.values()) waiting.reject(unavailable(error.message));
    this.#waiting.clear();
  }
}

function unavailable(cause: string): Fault {
  const detail = "The read model's file cannot be used at the moment.";
  return new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: 1_000 }, { cause: new Error(cause) });
}
