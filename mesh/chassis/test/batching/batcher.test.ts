import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, test } from "@jest/globals";
import { createBatcher } from "../../src/batching/batcher.ts";

/** Work whose batches end when the test says so. */
function gatedWork() {
  const batches: { items: readonly number[]; end: () => void }[] = [];
  return {
    batches,
    run: (items: readonly number[]): Promise<number[]> => {
      const { promise, resolve } = Promise.withResolvers<number[]>();
      batches.push({ items, end: () => resolve(items.map((item) => item * 10)) });
      return promise;
    },
  };
}

/** Work that ends at once with its items, after a note of them. */
const noting =
  (note: (items: readonly number[]) => void) =>
  async (items: readonly number[]): Promise<number[]> => {
    note(items);
    return [...items];
  };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a batcher", () => {
  test("puts what arrives in one turn of the event loop into one batch", async () => {
    const work = gatedWork();
    const batcher = createBatcher({ name: "test", maxItems: 100, maxQueued: 100, run: work.run });
    const outcomes = [1, 2, 3].map((item) => batcher.submit(item));
    await turn();
    expect(work.batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    work.batches[0]?.end();
    await expect(Promise.all(outcomes)).resolves.toEqual([10, 20, 30]);
  });

  test("runs two batches at once and joins what arrives meanwhile", async () => {
    const work = gatedWork();
    const batcher = createBatcher({ name: "test", maxItems: 100, maxQueued: 100, run: work.run });
    const outcomes: Promise<number>[] = [];
    for (const item of [1, 2, 3, 4, 5]) {
      outcomes.push(batcher.submit(item));
      await turn();
    }
    expect(work.batches.map(({ items }) => items)).toEqual([[1], [2]]);
    expect(batcher.queued).toBe(3);
    work.batches[0]?.end();
    await outcomes[0];
    await turn();
    expect(work.batches.map(({ items }) => items)).toEqual([[1], [2], [3, 4, 5]]);
    for (const { end } of work.batches) end();
    await expect(Promise.all(outcomes)).resolves.toEqual([10, 20, 30, 40, 50]);
  });

  test("runs a batch in the context of none of its callers", async () => {
    const caller = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const batcher = createBatcher<number, number>({
      name: "test",
      maxItems: 2,
      maxInFlight: 1,
      maxQueued: 100,
      run: noting(() => seen.push(caller.getStore())),
    });
    await Promise.all(["a", "b", "c"].map((name, item) => caller.run(name, () => batcher.submit(item))));
    expect(seen).toEqual([undefined, undefined]);
  });

  test("splits at the limits of items and weight, and lets a heavy item go alone", async () => {
    const seen: (readonly number[])[] = [];
    const batcher = createBatcher<number, number>({
      name: "test",
      maxItems: 3,
      maxInFlight: 1,
      maxQueued: 100,
      weigh: (item) => item,
      maxWeight: 10,
      run: noting((items) => seen.push(items)),
    });
    await Promise.all([1, 1, 1, 1, 99, 5, 5, 1].map((item) => batcher.submit(item)));
    expect(seen).toEqual([[1, 1, 1], [1], [99], [5, 5], [1]]);
  });

  test("lets one item fail without its neighbours", async () => {
    const batcher = createBatcher<number, number>({
      name: "test",
      maxItems: 10,
      maxQueued: 10,
      run: async (items) => items.map((item) => (item === 2 ? new Error("two") : item)),
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map((item) => batcher.submit(item)));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  });

  test("rejects a whole batch that throws, and goes on with the next", async () => {
    let runs = 0;
    const batcher = createBatcher<number, number>({
      name: "test",
      maxItems: 2,
      maxInFlight: 1,
      maxQueued: 10,
      run: async (items) => {
        runs += 1;
        if (runs === 1) throw new Error("no database");
        return [...items];
      },
    });
    const outcomes = await Promise.allSettled([1, 2, 3].map((item) => batcher.submit(item)));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
  });

  test("refuses a batch whose outcomes do not match its items", async () => {
    const batcher = createBatcher<number, number>({
      name: "t",
      maxItems: 2,
      maxQueued: 9,
      run: async () => [1],
    });
    const outcomes = await Promise.allSettled([batcher.submit(1), batcher.submit(2)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  });

  test("refuses one more than may wait as OVERLOADED, and takes exactly as many as may", async () => {
    const work = gatedWork();
    const batcher = createBatcher({ name: "test", maxItems: 1, maxInFlight: 1, maxQueued: 2, run: work.run });
    const first = batcher.submit(0);
    await turn();
    const waiting = [batcher.submit(1), batcher.submit(2)];
    await expect(batcher.submit(3)).rejects.toMatchObject({ reason: "OVERLOADED", retryAfterMs: 500 });
    for (let ended = 0; ended < 3; ended += 1) {
      work.batches[ended]?.end();
      await turn();
    }
    await expect(Promise.all([first, ...waiting])).resolves.toEqual([0, 10, 20]);
  });

  test("ends what it accepted before it is closed, and refuses what comes after", async () => {
    const work = gatedWork();
    const batcher = createBatcher({ name: "test", maxItems: 1, maxInFlight: 1, maxQueued: 9, run: work.run });
    const accepted = [batcher.submit(1), batcher.submit(2)];
    const closed = batcher.close();
    await expect(batcher.submit(3)).rejects.toMatchObject({ reason: "OVERLOADED" });
    await turn();
    work.batches[0]?.end();
    await accepted[0];
    await turn();
    work.batches[1]?.end();
    await closed;
    await expect(Promise.all(accepted)).resolves.toEqual([10, 20]);
  });

  test("keeps the items of one call in one batch, in order, and splits them where no batch can hold them", async () => {
    const batches: (readonly number[])[] = [];
    const batcher = createBatcher<number, number>({
      name: "test",
      maxItems: 3,
      maxInFlight: 1,
      maxQueued: 99,
      run: async (items) => {
        batches.push(items);
        return items.map((item) => item * 10);
      },
    });
    const outcomes = await Promise.all([
      batcher.submitAll([1, 2]),
      batcher.submitAll([3, 4]),
      batcher.submit(5),
      batcher.submitAll([6, 7, 8, 9]),
      batcher.submitAll([]),
    ]);
    expect(outcomes).toEqual([[10, 20], [30, 40], 50, [60, 70, 80, 90], []]);
    expect(batches).toEqual([
      [1, 2],
      [3, 4, 5],
      [6, 7, 8, 9],
    ]);
  });

  test("hands a failed item of a call back among its neighbours, and counts every item that waits", async () => {
    const late = new Error("late");
    const batcher = createBatcher<number, number>({
      name: "test",
      maxItems: 9,
      maxQueued: 2,
      run: async (items) => items.map((item) => (item === 2 ? late : item)),
    });
    const taken = batcher.submitAll([1, 2, 3]);
    expect(batcher.queued).toBe(3);
    await expect(batcher.submitAll([4])).rejects.toMatchObject({ reason: "OVERLOADED" });
    await expect(taken).resolves.toEqual([1, late, 3]);
    expect(batcher.queued).toBe(0);
  });
});
