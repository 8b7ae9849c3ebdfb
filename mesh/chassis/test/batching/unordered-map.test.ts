import { expect, test } from "@jest/globals";
import { unorderedMap } from "../../src/batching/unordered-map.ts";
import { eventually } from "../../src/testing/eventually.ts";

async function* count(to: number, seen: number[] = []): AsyncIterable<number> {
  for (let number = 1; number <= to; number += 1) {
    seen.push(number);
    yield number;
  }
}

async function collected<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) items.push(item);
  return items;
}

test("every item has its result, whatever the order", async () => {
  const results = await collected(unorderedMap(count(500), 7, async (number) => number * 2));
  expect(results.toSorted((left, right) => left - right)).toEqual(
    Array.from({ length: 500 }, (_, index) => 2 * (index + 1)),
  );
});

test("a slow item does not hold back the ones after it", async () => {
  const slow = Promise.withResolvers<string>();
  const results = unorderedMap(count(2), 2, (number) =>
    number === 1 ? slow.promise : Promise.resolve("quick"),
  );
  const iterator = results[Symbol.asyncIterator]();
  expect(await iterator.next()).toEqual({ done: false, value: "quick" });
  slow.resolve("slow");
  expect(await iterator.next()).toEqual({ done: false, value: "slow" });
  expect((await iterator.next()).done).toBe(true);
});

test("the source is read no further than the limit while nobody takes results", async () => {
  const seen: number[] = [];
  const results = unorderedMap(count(100, seen), 5, async (number) => number);
  const iterator = results[Symbol.asyncIterator]();
  await iterator.next();
  await eventually(() => expect(seen.length).toBe(5));
  await iterator.next();
  await eventually(() => expect(seen.length).toBe(6));
  await iterator.return?.();
});

test("a source that fails gives what was under way, and then its failure", async () => {
  async function* failing() {
    yield 1;
    throw new Error("gone");
  }
  const results: number[] = [];
  await expect(async () => {
    for await (const result of unorderedMap(failing(), 5, async (number) => number)) results.push(result);
  }).rejects.toThrow("gone");
  expect(results).toEqual([1]);
});

test("an action that fails ends the result, after what was under way, though the source stays open", async () => {
  async function* endless() {
    yield* [1, 2];
    await new Promise(() => undefined);
  }
  const slow = Promise.withResolvers<string>();
  const source = unorderedMap(endless(), 5, (number) =>
    number === 1 ? slow.promise : Promise.reject(new Error("refused")),
  );
  const first = source.next();
  slow.resolve("slow");
  expect(await first).toEqual({ done: false, value: "slow" });
  await expect(source.next()).rejects.toThrow("refused");
});

test("after an action has failed nothing more is taken from the source", async () => {
  const seen: number[] = [];
  const failing = collected(unorderedMap(count(100, seen), 2, () => Promise.reject(new Error("refused"))));
  await expect(failing).rejects.toThrow("refused");
  expect(seen.length).toBeLessThanOrEqual(3);
});
