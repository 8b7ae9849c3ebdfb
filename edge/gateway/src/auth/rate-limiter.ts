import { TokenBucket } from "@orrery/mesh/resilience/token-bucket";
import type { Clock } from "@orrery/mesh/time/clock";

/** How many requests a key may make within a time, at one gateway. */
export interface RateLimit {
  readonly requests: number;
  readonly windowMs: number;
}

/** Where a key stands after a request. */
export interface RateState {
  readonly allowed: boolean;
  /** Whole requests that are left now. */
  readonly remaining: number;
  /** Seconds until the whole quota is there again, rounded up; at least 1. */
  readonly resetSeconds: number;
  /** Milliseconds until a request is allowed; 0 where one is. */
  readonly retryAfterMs: number;
}

/** A token bucket for each key: full at first, refilled evenly over the window. */
export interface RateLimiter {
  readonly limit: RateLimit;
  /** Takes one request of this key's quota, if there is one. */
  take(key: string): RateState;
}

/** `<requests>/<time>`, as in `100/1s` or `5000/1m`; without a time it is per second. */
export const RATE_LIMIT_FORM = /^([1-9][0-9]{0,8})(?:\/([1-9][0-9]{0,5})(ms|s|m|h))?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/**
 * Reads a rate limit of that form.
 *
 * @throws Error saying the form
 */
export function parseRateLimit(text: string): RateLimit {
  const [, requests, count = "1", unit = "s"] = RATE_LIMIT_FORM.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  if (requests === undefined || unitMs === undefined)
    throw new Error(`a rate limit has the form 100/1s, or 100 for as many in a second, not '${text}'`);
  return { requests: Number(requests), windowMs: Number(count) * unitMs };
}

/**
 * Limits each key on its own. There are as many buckets as keys that asked, so that the key store bounds
 * them.
 */
export function createRateLimiter(limit: RateLimit, clock: Clock): RateLimiter {
  const buckets = new Map<string, TokenBucket>();
  const perMs = limit.requests / limit.windowMs;
  const bucketOf = (key: string, nowMs: number) => {
    const known = buckets.get(key);
    if (known !== undefined) return known;
    const fresh = new TokenBucket({ most: limit.requests, perMs, nowMs });
    buckets.set(key, fresh);
    return fresh;
  };
  return {
    limit,
    take: (key) => {
      const nowMs = clock.monotonicMs();
      const bucket = bucketOf(key, nowMs);
      const allowed = bucket.take(nowMs);
      const tokens = bucket.tokensAt(nowMs);
      return {
        allowed,
        remaining: Math.floor(tokens),
        resetSeconds: Math.max(1, Math.ceil((limit.requests - tokens) / perMs / 1_000)),
        retryAfterMs: allowed ? 0 : Math.ceil((1 - tokens) / perMs),
      };
    },
  };
}

/**
 * The quota, as the header `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers has it. A window below a second
 * shows as one second: it knows whole seconds only.
 */
export const ratePolicy = ({ requests, windowMs }: RateLimit): string =>
  `"key";q=${requests};w=${Math.max(1, Math.round(windowMs / 1_000))}`;

/** Where a key stands, as the header `RateLimit` of the same draft has it. */
export const rateStanding = ({ remaining, resetSeconds }: RateState): string =>
  `"key";r=${remaining};t=${resetSeconds}`;
