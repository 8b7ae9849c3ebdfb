import { Fault } from "@orrery/mesh/fault/fault";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { authenticate, type HeaderReader } from "./authenticate.ts";
import type { Caller, KeyStore } from "./key-store.ts";
import { type RateLimiter, type RateState, rateLimitHeaders } from "./rate-limiter.ts";

/** What admission reads of a request, and writes to it. */
export interface Admittee {
  readonly header: HeaderReader;
  readonly correlationId: string;
  readonly answerHeaders: Record<string, string>;
  caller: Caller | undefined;
  rate: RateState | undefined;
}

/** The door of every protocol: who asks, and whether it may ask now. */
export interface Admission {
  /**
   * Notes the caller and its rate on the request, before anything of the body is read.
   *
   * @throws Fault UNAUTHENTICATED · PROJECT_FORBIDDEN · RATE_LIMITED with the time to wait
   */
  admit(request: Admittee): Caller;
}

export function createAdmission(options: {
  keys: KeyStore;
  limiter: RateLimiter;
  logger: Logger;
}): Admission {
  const { keys, limiter, logger } = options;
  return {
    admit: (request) => {
      Object.assign(request.answerHeaders, rateLimitHeaders(limiter.limit, undefined));
      const caller = authenticated(keys, request, logger);
      const rate = limiter.take(caller.id);
      request.caller = caller;
      request.rate = rate;
      Object.assign(request.answerHeaders, rateLimitHeaders(limiter.limit, rate));
      if (rate.allowed) return caller;
      throw new Fault("RATE_LIMITED", {
        detail: `The key has used up its ${limiter.limit.requests} requests.`,
        retryAfterMs: rate.retryAfterMs,
      });
    },
  };
}

function authenticated(keys: KeyStore, request: Admittee, logger: Logger): Caller {
  try {
    return authenticate(keys, request.header);
  } catch (error) {
    if (error instanceof Fault) {
      const denied = error.reason === "PROJECT_FORBIDDEN";
      logger.security(denied ? "project_forbidden" : "authentication_failed", {
        reason: error.reason,
        correlationId: request.correlationId,
      });
    }
    throw error;
  }
}
