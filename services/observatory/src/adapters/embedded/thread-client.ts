// Q1: the thread is at one question, and the others wait here: a search, a count or a summary that nobody waits for any
// more is never begun, and one that has been begun is given up at its next row. Reads of one job or mission are short,
// and take no signal.
// Q2: writes go before reads, so that no flood of searches holds the projection up, and in the order in which they were
// asked. Where writes do not end, as in a projection from the first event on, both get half of the time:
// one read after every fourth write was tried, and let six short reads a second through.
// Q3: projects take turns: whoever asks waits for one read of each other project, however many that has asked for.
// Q4: reads that yield, as those of watches that fill a gap, go after all others; after four others one of them has its
// turn, so that gaps are filled while searches do not end. However long that takes, they wait: a watch has no deadline,
// and one that was sent away would begin at the end of the line.
import { Worker } from "node:worker_threads";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { PLATFORM } from "../../domain/projection.ts";
import type { Answer, Question, ThreadSettings } from "./thread-messages.ts";
import { Turns } from "./turns.ts";

interface Asked {
  /** The project that takes a turn with it. */
  readonly asker: string;
  readonly question: Question;
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** What the projector asks, and what ends the thread; everything else reads. */
const WRITES: ReadonlySet<Question["ask"]> = new Set(["check", "apply", "reset", "close"]);
/** So much longer than the reads that wait for them writes may take, milliseconds. */
const PRECEDENCE_MS = 100;
/** So many reads go before those that yield; then it is the turn of one of those. */
const PASSED_OVER_LIMIT = 4;
/** At most so many wait in one line; beyond that the caller is told to come back. */
const WAITING_LIMIT = 500;
/** The same of the reads of one project. */
const PROJECT_WAITING_LIMIT = 100;
/** No write waits longer for its answer. */
const WRITE_LIMIT_MS = 10_000;
/**
 * No read of an RPC does: less than the 5 s that one has, so that its caller hears of a slow search and not of a silent
 * service.
 */
const READ_LIMIT_MS = 4_000;

/** One store thread as its service sees it: questions in, answers out, a new thread when one has died. */
export class ThreadClient {
  readonly #settings: ThreadSettings;
  readonly #clock: Clock;
  readonly #writes = new Turns<Asked>();
  readonly #reads = new Turns<Asked>();
  readonly #yielding = new Turns<Asked>();
  /** How many reads have gone before those that yield, one after the other. */
  #passedOver = 0;
  #worker: Worker | undefined;
  /** What the thread is at. */
  #posted: Asked | undefined;
  #postedMs = 0;
  /** How much longer writes took than reads while both waited; below 0 where it was the other way round. */
  #aheadMs = 0;
  #closed = false;

  constructor(folder: string, clock: Clock) {
    this.#settings = { folder, unwanted: new Int32Array(new SharedArrayBuffer(4)) };
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
    const line = this.#lineOf(question);
    const asker = askerOf(question);
    if (line !== this.#writes && line.sizeOf(asker) >= PROJECT_WAITING_LIMIT)
      return Promise.reject(overloaded(`${PROJECT_WAITING_LIMIT} searches of this project`));
    if (line.size >= WAITING_LIMIT) return Promise.reject(overloaded(`${WAITING_LIMIT} searches`));
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const asked = { asker, question, resolve, reject };
    const giveUp = (why: Fault) => {
      if (this.#posted === asked) Atomics.store(this.#settings.unwanted, 0, 1);
      reject(why);
    };
    const limitMs = line === this.#writes ? WRITE_LIMIT_MS : READ_LIMIT_MS;
    const yields = line === this.#yielding;
    const timer = yields ? undefined : setTimeout(() => giveUp(late(limitMs)), limitMs);
    const leave = () => giveUp(unwanted());
    signal?.addEventListener("abort", leave);
    line.add(asked);
    this.#postNext();
    const settled = promise.finally(() => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", leave);
      line.delete(asked);
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
    const readsTurn = this.#readsWait && this.#aheadMs > PRECEDENCE_MS;
    const next = readsTurn || this.#writes.size === 0 ? this.#takeRead() : this.#writes.take();
    if (next === undefined) return;
    Atomics.store(this.#settings.unwanted, 0, 0);
    this.#thread().postMessage(next.question);
    this.#posted = next;
    this.#postedMs = this.#clock.monotonicMs();
  }

  #lineOf(question: Question): Turns<Asked> {
    if (WRITES.has(question.ask)) return this.#writes;
    return question.ask === "searchEvents" && question.search.yields === true ? this.#yielding : this.#reads;
  }

  get #readsWait(): boolean {
    return this.#reads.size + this.#yielding.size > 0;
  }

  #takeRead(): Asked | undefined {
    const mayYield = this.#passedOver >= PASSED_OVER_LIMIT || this.#reads.size === 0;
    const next = mayYield ? this.#yielding.take() : undefined;
    this.#passedOver = next === undefined && this.#yielding.size > 0 ? this.#passedOver + 1 : 0;
    return next ?? this.#reads.take();
  }

  #takePosted(): Asked | undefined {
    const posted = this.#posted;
    this.#posted = undefined;
    const tookMs = this.#clock.monotonicMs() - this.#postedMs;
    if (posted === undefined || this.#writes.size === 0) this.#aheadMs = 0;
    else if (!WRITES.has(posted.question.ask)) this.#aheadMs -= tookMs;
    else if (this.#readsWait) this.#aheadMs += tookMs;
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
    for (const line of [this.#writes, this.#reads, this.#yielding])
      for (let asked = line.take(); asked !== undefined; asked = line.take())
        asked.reject(unavailable(error.message));
  }
}

/** Alerts are the platform's, and asked for on behalf of a project. */
function askerOf(question: Question): string {
  if (question.ask === "search") return question.search.asker ?? question.search.project;
  if ("search" in question) return question.search.project;
  return "project" in question ? question.project : PLATFORM;
}

function overloaded(what: string): Fault {
  return new Fault("OVERLOADED", { detail: `${what} wait here already.`, retryAfterMs: 1_000 });
}

function late(limitMs: number): Fault {
  const detail = `The read model did not answer within ${limitMs / 1_000} s.`;
  return new Fault("DEADLINE_EXCEEDED", { detail });
}

function unwanted(): Fault {
  return new Fault("CANCELLED", { detail: "Nobody waits for this answer any more." });
}

function unavailable(cause: string): Fault {
  const detail = "The read model's file cannot be used at the moment.";
  return new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: 1_000 }, { cause: new Error(cause) });
}
