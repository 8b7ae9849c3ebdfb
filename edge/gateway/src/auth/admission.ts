import { Fault } from "@orrery/mesh/fault/fault";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { authenticate, type HeaderReader } from "./authenticate.ts";
import type { Caller, KeyStore } from "./key-store.ts";
import { type RateLimiter, type RateState, ratePolicy, rateStanding } from "./rate-limiter.ts";
import { SECURITY_EVENT } from "./security-events.ts";

/** What admission reads of a request, and writes to it. */
export interface Admittee {
  readonly header: HeaderReader;
  readonly correlationId: string;
  readonly answerHeaders: Record<string, string>;
  caller: Caller | undefined;
}

/** The door of every protocol: who asks, and whether it may ask now. */
export interface Admission {
  /**
   * Notes the caller on the request, and its rate in the headers of the answer, before anything of the body
   * is read.
   *
   * @throws Fault UNAUTHENTICATED · PROJECT_FORBIDDEN · RATE_LIMITED with the time to wait
   */
  admit(request: Admittee): Caller;
  /**
   * Takes one more request of a caller's quota, for each item of a stream that was admitted as one.
   *
   * @throws Fault RATE_LIMITED with the time to wait
   */
  spend(caller: Caller): RateState;
}

/** An admission by API key, with one bucket of requests for each key. */
export function createAdmission(options: {
  keys: KeyStore;
  limiter: RateLimiter;
  logger: Logger;
}): Admission {
  const { keys, limiter, logger } = options;
  const refused = new Set<string>();
  const policy = ratePolicy(limiter.limit);
  const take = (caller: Caller): RateState => {
    const rate = limiter.take(caller.id);
    // One line for each time that a key runs dry, not for each request that is refused meanwhile.
    if (rate.allowed) refused.delete(caller.id);
    else if (!refused.has(caller.id)) {
      refused.add(caller.id);
      logger.security(SECURITY_EVENT.RATE_LIMITED, { principal: caller.id, project: caller.project });
    }
    return rate;
  };
  const { requests, windowMs } = limiter.limit;
  const requireAllowed = (rate: RateState): RateState => {
    if (rate.allowed) return rate;
    throw new Fault("RATE_LIMITED", {
      detail: `The key may make ${requests} requests in ${windowMs / 1_000} s, and has used them up.`,
      retryAfterMs: rate.retryAfterMs,
    });
  };
  return {
    admit: (request) => {
      request.answerHeaders["ratelimit-policy"] = policy;
      const caller = authenticated(keys, request, logger);
      const rate = take(caller);
      request.caller = caller;
      request.answerHeaders.ratelimit = rateStanding(rate);
      requireAllowed(rate);
      return caller;
    },
    spend: (caller) => requireAllowed(take(caller)),
  };
}

function authenticated(keys: KeyStore, request: Admittee, logger: Logger): Caller {
  try {
    return authenticate(keys, request.header);
  } catch (error) {
    if (error instanceof Fault) {
      const denied = error.reason === "PROJECT_FORBIDDEN";
      logger.security(denied ? SECURITY_EVENT.PROJECT_REFUSED : SECURITY_EVENT.AUTHENTICATION_FAILED, {
        reason: error.reason,
        correlationId: request.correlationId,
      });
    }
    throw error;
  }
}
