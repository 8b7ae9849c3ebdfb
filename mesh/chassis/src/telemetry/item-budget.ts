import type { Clock } from "../time/clock.ts";
import { isSampled } from "./item-span.ts";

/** Hands a `traceparent` on as it is, or as one of a trace that nobody keeps. */
export type ItemBudget = (traceparent: string) => string;

const FLAGS_LENGTH = 2;

/**
 * Bounds how much work a process does in traces that are kept. The edge counts requests, and one request may bring a
 * thousand items of which each makes a dozen spans: all of them cost a third of what the engine reaches. What is over
 * the budget goes on outside of its trace, with the same trace id, from its first span to its last.
 *
 * @param perSecond - how many items; at first, and after a quiet second, as many at once
 */
export function createItemBudget({ perSecond, clock }: { perSecond: number; clock: Clock }): ItemBudget {
  let left = perSecond;
  let filledMs = clock.monotonicMs();
  return (traceparent) => {
    if (!isSampled(traceparent)) return traceparent;
    const nowMs = clock.monotonicMs();
    left = Math.min(perSecond, left + ((nowMs - filledMs) / 1_000) * perSecond);
    filledMs = nowMs;
    if (left < 1) return `${traceparent.slice(0, -FLAGS_LENGTH)}00`;
    left -= 1;
    return traceparent;
  };
}
