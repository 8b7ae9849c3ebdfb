import { expect, test } from "@jest/globals";
import { createRetryBudget, retry } from "../../src/resilience/retry.ts";
import { fixedChance } from "../../src/testing/fixed-chance.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";

const policy = { attempts: 3, baseMs: 4, capMs: 6 };
const generous = { deposit: () => {}, withdraw: () => true };
const failing = (times: number): (() => Promise<string>) => {
  let left = times;
  return async () => {
    if (left-- > 0) throw new Error(`failure ${left}`);
    return "done";
  };
};
const base = { policy, budget: generous, chance: fixedChance(0.5), retryable: () => true };

test("a failure is repeated until it succeeds or the tries are used up", async () => {
  expect(await retry(failing(2), base)).toBe("done");
  await expect(retry(failing(3), base)).rejects.toThrow("failure 0");
});

test("a failure that is not retryable is not repeated", async () => {
  await expect(retry(failing(1), { ...base, retryable: () => false })).rejects.toThrow("failure 0");
});

test("nothing is repeated once the signal has ended", async () => {
  const signal = AbortSignal.abort();
  await expect(retry(failing(1), { ...base, signal })).rejects.toThrow("failure 0");
});

test("a budget of 20 percent allows one repeat in five calls, and a few a second beside", () => {
  const clock = new ManualClock();
  const budget = createRetryBudget({ ratio: 0.2, minPerSecond: 1, clock });
  expect([budget.withdraw(), budget.withdraw()]).toEqual([true, false]);
  for (let n = 0; n < 5; n += 1) budget.deposit();
  expect([budget.withdraw(), budget.withdraw()]).toEqual([true, false]);
  clock.advance(2_000);
  expect([budget.withdraw(), budget.withdraw(), budget.withdraw()]).toEqual([true, true, false]);
});

test("a budget in which nothing is spent does not grow without end", () => {
  const budget = createRetryBudget({ ratio: 0.2, minPerSecond: 1, clock: new ManualClock() });
  for (let n = 0; n < 10_000; n += 1) budget.deposit();
  let granted = 0;
  while (budget.withdraw()) granted += 1;
  expect(granted).toBe(20);
});
