import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { WriterLock } from "../../../src/adapters/embedded/writer-lock.ts";

async function twoReplicas() {
  const folder = await mkdtemp(join(tmpdir(), "orrery-writer-lock-"));
  const clock = new ManualClock();
  const [first, second] = [new WriterLock(folder, clock), new WriterLock(folder, clock)];
  return {
    folder,
    first,
    second,
    clock,
    async [Symbol.asyncDispose]() {
      first.release();
      second.release();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

test("a writer that is stopped loses its place after 15 seconds, and knows it when it goes on", async () => {
  await using world = await twoReplicas();
  const { first, second, clock } = world;
  expect([first.take(), second.take()]).toEqual([true, false]);
  clock.advance(15_000);
  expect(second.take()).toBe(false);
  clock.advance(1);
  expect([second.take(), first.take(), second.take()]).toEqual([true, false, true]);
  second.release();
  expect(first.take()).toBe(true);
});

test("a place that is broken is nobody's, says so, and is made anew after 15 seconds", async () => {
  await using world = await twoReplicas();
  const { folder, first, second, clock } = world;
  const file = join(folder, "writer.lock");
  await writeFile(file, "no database at all ".repeat(1_000));
  await utimes(file, clock.nowMs() / 1_000, clock.nowMs() / 1_000);
  for (const replica of [first, second]) expect(() => replica.take()).toThrow("file is not a database");
  clock.advance(15_001);
  expect([first.take(), second.take()]).toEqual([true, false]);
});

test("a writer that looks again and again keeps its place, and gives it back at once", async () => {
  await using world = await twoReplicas();
  const { first, second, clock } = world;
  for (let look = 0; look < 5; look++) {
    expect([first.take(), second.take()]).toEqual([true, false]);
    clock.advance(10_000);
  }
  first.release();
  expect(second.take()).toBe(true);
});
