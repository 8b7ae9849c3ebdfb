import { type Chance, type Clock, systemClock } from "../time/clock.ts";
import { wait } from "../time/wait.ts";

/** How often and how patiently something is tried. */
export interface RetryPolicy {
  /** Tries in all, the first one included: 1 to 10. */
  readonly attempts: number;
  /** The longest pause before the second try, in milliseconds; it doubles with each further try. */
  readonly baseMs: number;
  /** The longest pause of all, in milliseconds. */
  readonly capMs: number;
}

/**
 * Allows retries as long as they are few beside the calls. Shared by all calls to one dependency, so that an
 * outage does not multiply the load on it.
 */
export interface RetryBudget {
  /** Notes a first try: earns a part of a retry. */
  deposit(): void;
  /** Takes one retry out of the budget, or says no. */
  withdraw(): boolean;
}

const SECOND_MS = 1_000;
const RESERVE_SECONDS = 10;

/**
 * A budget of `ratio` retries for each call, and a few each second for a dependency that is seldom called.
 *
 * What is not used is kept for at most ten seconds' worth of the small allowance, or 100 calls' worth of the
 * ratio.
 *
 * @param ratio - retries for each first try, 0 to 1
 * @param minPerSecond - retries that are allowed each second whatever the ratio, 0 to 1,000
 */
export function createRetryBudget({
  ratio,
  minPerSecond,
  clock = systemClock,
}: {
  ratio: number;
  minPerSecond: number;
  clock?: Clock;
}): RetryBudget {
  const limit = Math.max(ratio * 100, minPerSecond * RESERVE_SECONDS, 1);
  let tokens = Math.min(limit, Math.max(minPerSecond, 1));
  let lastMs = clock.monotonicMs();
  return {
    deposit: () => {
      tokens = Math.min(limit, tokens + ratio);
    },
    withdraw: () => {
      const nowMs = clock.monotonicMs();
      tokens = Math.min(limit, tokens + ((nowMs - lastMs) / SECOND_MS) * minPerSecond);
      lastMs = nowMs;
      // 0.2 five times is a little less than 1: a rounding error must not cost a retry.
      if (tokens < 1 - 1e-9) return false;
      tokens -= 1;
      return true;
    },
  };
}

/**
 * Tries until it succeeds, the failure is not worth a repeat, the tries or the budget are used up, or the
 * signal ends. Pauses are drawn evenly between 0 and the limit ("full jitter"), so that many callers do not
 * come back at once.
 *
 * @throws the last failure, as it was
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export async function retry<T>(
  action: (attempt: number) => Promise<T>,
  options: {
    policy: RetryPolicy;
    budget: RetryBudget;
    chance: Chance;
    signal?: AbortSignal | undefined;
    retryable(error: unknown): boolean;
  },
): Promise<T> {
  const { policy, budget, chance, signal } = options;
  budget.deposit();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await action(attempt);
    } catch (failure) {
      const ended = (): boolean => signal?.aborted ?? false;
      const done = attempt >= policy.attempts || ended() || !options.retryable(failure);
      if (done || !budget.withdraw()) throw failure;
      const limitMs = Math.min(policy.capMs, policy.baseMs * 2 ** (attempt - 1));
      await wait(chance.next() * limitMs, signal);
      if (ended()) throw failure;
    }
  }
}
