import { expect, test } from "@jest/globals";
import { createItemBudget } from "../../src/telemetry/item-budget.ts";
import { isSampled } from "../../src/telemetry/item-span.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
const keptOf = (budget: (traceparent: string) => string, items: number) =>
  Array.from({ length: items }, () => budget(`${TRACE}-01`)).filter(isSampled).length;

test("of a thousand items at once as many stay in their trace as a second allows", () => {
  const clock = new ManualClock();
  const budget = createItemBudget({ perSecond: 50, clock });
  expect(keptOf(budget, 1_000)).toBe(50);
  clock.advance(100);
  expect(keptOf(budget, 1_000)).toBe(5);
  clock.advance(60_000);
  expect(keptOf(budget, 1_000)).toBe(50);
});

test("what goes on outside of its trace keeps the trace's id", () => {
  const budget = createItemBudget({ perSecond: 0, clock: new ManualClock() });
  expect(budget(`${TRACE}-01`)).toBe(`${TRACE}-00`);
});

test("what is in no kept trace costs nothing of the budget", () => {
  const budget = createItemBudget({ perSecond: 1, clock: new ManualClock() });
  for (const traceparent of [`${TRACE}-00`, "", "nonsense"]) expect(budget(traceparent)).toBe(traceparent);
  expect(keptOf(budget, 2)).toBe(1);
});
