import type { RetryPolicy } from "./job.ts";

/** What holds unless the submission says otherwise. */
export const DEFAULT_RETRY_POLICY: RetryPolicy = {
  initialDelayMs: 1_000,
  factor: 2,
  maxDelayMs: 300_000,
  jitter: 0.2,
};

/**
 * How long to wait before the next attempt.
 *
 * @param failures - failures before the one that asks, from 0
 * @param chance - [0, 1): 0 takes the whole jitter away, just under 1 adds it
 * @returns whole milliseconds, from 0 to maxDelay plus its jitter
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, chance: number): number {
  const grown = Math.min(policy.initialDelayMs * policy.factor ** failures, policy.maxDelayMs);
  return Math.round(grown * (1 + policy.jitter * (2 * chance - 1)));
}
