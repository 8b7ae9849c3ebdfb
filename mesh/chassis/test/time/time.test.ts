import { expect, test } from "@jest/globals";
import { createLogger } from "../../src/telemetry/logger.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import { systemChance, systemClock, uuidV7 } from "../../src/time/clock.ts";
import { every } from "../../src/time/every.ts";
import { inTime } from "../../src/time/in-time.ts";
import { wait } from "../../src/time/wait.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test("ids made in one millisecond, and across a clock that goes back, still grow", () => {
  const clock = new ManualClock(Date.UTC(2040, 0, 1));
  const ids = Array.from({ length: 10_000 }, () => uuidV7(clock));
  clock.advance(-60_000);
  ids.push(uuidV7(clock), uuidV7(clock));
  expect(ids.every((id) => UUID_V7.test(id))).toBe(true);
  expect(ids).toEqual([...ids].sort());
  expect(new Set(ids).size).toBe(ids.length);
});

test("an id carries the millisecond of its making", () => {
  const clock = new ManualClock(Date.UTC(2050, 5, 1));
  expect(Number.parseInt(uuidV7(clock).replace("-", "").slice(0, 12), 16)).toBe(clock.nowMs());
});

test("a wait ends early when its signal does, and at once when it already has", async () => {
  const controller = new AbortController();
  const beganMs = systemClock.monotonicMs();
  const waiting = wait(60_000, controller.signal);
  controller.abort();
  await waiting;
  await wait(60_000, controller.signal);
  await wait(0);
  expect(systemClock.monotonicMs() - beganMs).toBeLessThan(60_000);
});

test("an answer in time is told, what comes after the limit is nobody's, a failure included", async () => {
  expect(await inTime(Promise.resolve(0), 60_000)).toEqual({ answer: 0 });
  await expect(inTime(Promise.reject(new Error("refused")), 60_000)).rejects.toThrow("refused");
  const { promise, reject } = Promise.withResolvers<never>();
  expect(await inTime(promise, 0)).toBeUndefined();
  reject(new Error("late"));
});

test("chance stays within its limits", () => {
  const draws = Array.from({ length: 1_000 }, () => systemChance.next());
  expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true);
});

test("repeated work outlives a failure, which is logged by its name, and ends with the signal", async () => {
  const ending = new AbortController();
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  const logger = createLogger({ service: "test", instance: "test-0", level: "warn", write });
  const parts = { clock: new ManualClock(0), logger, signal: ending.signal };
  let turns = 0;
  await every({ name: "counting", ms: 1 }, parts, () => {
    turns += 1;
    if (turns === 3) ending.abort();
    return turns === 2 ? Promise.resolve() : Promise.reject(new Error(`turn ${turns}`));
  });
  expect([turns, lines.length]).toEqual([3, 1]);
  expect(lines[0]).toContain("counting did not work");
});

test("repeated work that has to rest pauses for a multiple of the time that it took", async () => {
  const ending = new AbortController();
  const clock = new ManualClock(0);
  const startsMs: number[] = [];
  await every(
    { name: "counting", ms: 1, rest: 10 },
    { clock, logger: quietLogger, signal: ending.signal },
    () => {
      startsMs.push(performance.now());
      clock.advance(10);
      if (startsMs.length === 2) ending.abort();
      return Promise.resolve();
    },
  );
  const [firstMs = 0, secondMs = 0] = startsMs;
  expect(secondMs - firstMs).toBeGreaterThan(95);
});
