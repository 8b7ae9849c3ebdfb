import { AsyncLocalStorage } from "node:async_hooks";
import { Fault } from "../fault/fault.ts";
import { METRIC } from "../telemetry/attributes.ts";
import type { Metrics } from "../telemetry/metrics.ts";

/** What a batcher is made of. */
export interface BatcherOptions<I, O> {
  /** Names the batcher in the detail of a refusal, as in `submit`. */
  readonly name: string;
  /** The most items of one batch, 1 or more. */
  readonly maxItems: number;
  /** Batches under way at once, 1 or more. @default 2 */
  readonly maxInFlight?: number;
  /** Items that may wait behind the batches under way; one more is refused as `OVERLOADED`. */
  readonly maxQueued: number;
  /** What an item weighs against `maxWeight`, for instance its bytes. @default 0 */
  readonly weigh?: (item: I) => number;
  /** The most weight of one batch; a single item that is heavier goes alone. @default no limit */
  readonly maxWeight?: number;
  /**
   * Does the work of one batch: one outcome for each item, in order. An `Error` as an outcome rejects that
   * item alone; a rejection rejects every item of this batch and none of another.
   */
  run(items: readonly I[]): Promise<readonly (O | Error)[]>;
  /** Where the number of waiting items shows as `orrery_batch_waiting`, under the batcher's name. */
  readonly metrics?: Metrics | undefined;
}

/** Joins single calls into batches. */
export interface Batcher<I, O> {
  /**
   * Puts one item into the next batch.
   *
   * @throws Fault `OVERLOADED` (retry after `retryAfterMs`) when too many wait or the batcher is closed, and
   * whatever `run` gave or threw for the item
   */
  submit(item: I): Promise<O>;
  /**
   * Puts items into the next batch that has room for all of them: those of one message, which cost one promise and not
   * one each. More than a batch may hold go alone.
   *
   * @returns one outcome for each item, in order
   * @throws Fault as `submit`; an outcome that is an `Error` is among the others
   */
  submitAll(items: readonly I[]): Promise<readonly (O | Error)[]>;
  /** Items that wait, without those under way. */
  readonly queued: number;
  /** Refuses new items, and resolves when everything accepted has its outcome. */
  close(): Promise<void>;
}

interface Waiting<I, O> {
  readonly items: readonly I[];
  readonly weight: number;
  readonly resolve: (outcomes: readonly (O | Error)[]) => void;
  readonly reject: (reason: unknown) => void;
}

const DEFAULT_IN_FLIGHT = 2;
const RETRY_AFTER_MS = 500;

/**
 * Commits many callers' items together, without holding any of them back.
 *
 * At most `maxInFlight` batches are under way; what arrives meanwhile is the next batch. There is no timer: a
 * lone item starts in the same turn of the event loop, a thousand share one commit. The turn's end, not the
 * first item, closes a batch, because the requests of one socket read arrive in one turn.
 *
 * Two in flight rather than one were worth a fifth of the throughput with 50 callers on two virtual cores; four were
 * worth a twentieth there, and halved the batches of a stream.
 */
export function createBatcher<I, O>(options: BatcherOptions<I, O>): Batcher<I, O> {
  const { name, maxItems, maxQueued, weigh = () => 0, maxWeight = Number.POSITIVE_INFINITY } = options;
  const maxInFlight = options.maxInFlight ?? DEFAULT_IN_FLIGHT;
  const waiting: Waiting<I, O>[] = [];
  // A batch is of many callers: it runs in the context that the batcher was made in.
  const outside = AsyncLocalStorage.snapshot();
  const idle = Promise.withResolvers<void>();
  let queued = 0;
  let inFlight = 0;
  let scheduled = false;
  let closed = false;
  options.metrics?.sampled(
    METRIC.BATCH_WAITING,
    "Items that wait for the next batch, by what the batches do.",
    ["batch"],
    (gauge) => gauge.set({ batch: name }, queued),
  );

  function schedule(): void {
    if (scheduled || waiting.length === 0 || inFlight >= maxInFlight) return;
    scheduled = true;
    setImmediate(outside, startBatches);
  }

  function startBatches(): void {
    scheduled = false;
    while (waiting.length > 0 && inFlight < maxInFlight) {
      const batch = waiting.splice(0, batchLength(waiting, maxItems, maxWeight));
      for (const { items } of batch) queued -= items.length;
      inFlight += 1;
      void settle((items) => options.run(items), batch).then(batchEnded);
    }
  }

  function batchEnded(): void {
    inFlight -= 1;
    // What came in while the batch ran has waited long enough: start at once rather than at the end of the
    // turn.
    if (waiting.length > 0 && !scheduled) startBatches();
    if (closed && inFlight === 0 && waiting.length === 0) idle.resolve();
  }

  function submitAll(items: readonly I[]): Promise<readonly (O | Error)[]> {
    if (closed || queued >= maxQueued) {
      const detail = closed ? `${name} is stopping` : `${name} has ${maxQueued} waiting already`;
      return Promise.reject(new Fault("OVERLOADED", { detail, retryAfterMs: RETRY_AFTER_MS }));
    }
    if (items.length === 0) return Promise.resolve([]);
    const { promise, resolve, reject } = Promise.withResolvers<readonly (O | Error)[]>();
    let weight = 0;
    for (const item of items) weight += weigh(item);
    waiting.push({ items, weight, resolve, reject });
    queued += items.length;
    schedule();
    return promise;
  }

  return {
    async submit(item) {
      const [outcome] = await submitAll([item]);
      if (outcome instanceof Error) throw outcome;
      return outcome as O;
    },
    submitAll,
    get queued() {
      return queued;
    },
    close() {
      closed = true;
      if (inFlight === 0 && waiting.length === 0) idle.resolve();
      return idle.promise;
    },
  };
}

/** How many of the first waiting entries make one batch: at least one. */
function batchLength(
  waiting: readonly { items: readonly unknown[]; weight: number }[],
  maxItems: number,
  maxWeight: number,
): number {
  let weight = 0;
  let count = 0;
  let length = 0;
  for (const next of waiting) {
    weight += next.weight;
    count += next.items.length;
    if (length > 0 && (count > maxItems || weight > maxWeight)) break;
    length += 1;
  }
  return length;
}

async function settle<I, O>(
  run: (items: readonly I[]) => Promise<readonly (O | Error)[]>,
  batch: readonly Waiting<I, O>[],
): Promise<void> {
  const [first] = batch;
  const items =
    batch.length === 1 && first !== undefined ? first.items : batch.flatMap((entry) => entry.items);
  try {
    const outcomes = await run(items);
    if (outcomes.length !== items.length) {
      throw new RangeError(`a batch of ${items.length} items got ${outcomes.length} outcomes`);
    }
    let begin = 0;
    for (const { items: own, resolve } of batch) {
      resolve(outcomes.slice(begin, begin + own.length));
      begin += own.length;
    }
  } catch (failure) {
    for (const { reject } of batch) reject(failure);
  }
}
