// I20: no cap is ever exceeded, at any instant: whoever grants from a queue with limits holds its row and has
// counted.

/** What a queue allows; 0 means no limit. */
export interface QueueLimits {
  readonly concurrency: number;
  readonly concurrencyPerKey: number;
  readonly rateLimit: number;
  readonly ratePeriodMs: number;
}

/** What of a queue's limits is in use, counted from its open leases and its starts within the period. */
export interface QueueUse {
  readonly running: number;
  readonly runningByKey: ReadonlyMap<string, number>;
  readonly starts: number;
}

/** A job that could be granted next. */
export interface Candidate {
  readonly id: string;
  readonly project: string;
  readonly queue: string;
  readonly concurrencyKey: string;
}

/** How many more jobs of the queue may start now, its keys left aside. */
export function roomLeft(limits: QueueLimits, use: QueueUse): number {
  const byConcurrency = limits.concurrency > 0 ? limits.concurrency - use.running : Number.POSITIVE_INFINITY;
  const byRate = limits.rateLimit > 0 ? limits.rateLimit - use.starts : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.min(byConcurrency, byRate));
}

/** The concurrency keys that have no room left. */
export function fullKeys(limits: QueueLimits, use: QueueUse): readonly string[] {
  if (limits.concurrencyPerKey === 0) return [];
  return [...use.runningByKey].flatMap(([key, running]) =>
    running >= limits.concurrencyPerKey ? [key] : [],
  );
}

/**
 * Picks, in order, the candidates of one queue that its limits let start.
 *
 * @param candidates - in the order in which they are to start
 * @returns a subsequence of the candidates; a job without a key counts against the queue only
 */
export function admit<C extends Candidate>(
  candidates: readonly C[],
  limits: QueueLimits,
  use: QueueUse,
): readonly C[] {
  let room = roomLeft(limits, use);
  const byKey = new Map(use.runningByKey);
  return candidates.filter(({ concurrencyKey }) => {
    if (room <= 0) return false;
    const running = byKey.get(concurrencyKey) ?? 0;
    if (concurrencyKey !== "" && limits.concurrencyPerKey > 0) {
      if (running >= limits.concurrencyPerKey) return false;
      byKey.set(concurrencyKey, running + 1);
    }
    room -= 1;
    return true;
  });
}
