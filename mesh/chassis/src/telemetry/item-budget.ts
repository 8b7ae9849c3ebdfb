import { TokenBucket } from "../resilience/token-bucket.ts";
import type { Clock } from "../time/clock.ts";
import { isSampled, unsampled } from "./item-span.ts";

/** Hands a `traceparent` on as it is, or as one of a trace that nobody keeps. */
export type ItemBudget = (traceparent: string) => string;

/**
 * Bounds how much work a process does in traces that are kept. The edge counts requests, and one request may bring a
 * thousand items of which each makes a dozen spans: all of them cost a third of what the engine reaches. What is over
 * the budget goes on outside of its trace, with the same trace id, from its first span to its last.
 *
 * @param perSecond - how many items; at first, and after a quiet second, as many at once
 */
export function createItemBudget({ perSecond, clock }: { perSecond: number; clock: Clock }): ItemBudget {
  const nowMs = clock.monotonicMs();
  const budget = new TokenBucket({ most: perSecond, perMs: perSecond / 1_000, nowMs });
  return (traceparent) =>
    !isSampled(traceparent) || budget.take(clock.monotonicMs()) ? traceparent : unsampled(traceparent);
}
