import { errors } from "@elastic/elasticsearch";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Breaker } from "@orrery/mesh/resilience/breaker";

/** Makes a call behind the breaker; whatever goes wrong comes out as a Fault, without the engine's words. */
export type ElasticCalls = <T>(call: (signal: AbortSignal) => Promise<T>) => Promise<T>;

export function elasticCalls(breaker: Breaker): ElasticCalls {
  return (call) =>
    breaker.run(async (signal) => {
      try {
        return await call(signal);
      } catch (error) {
        throw faultOf(error);
      }
    });
}

/** The HTTP status that a call was refused with; undefined when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return error instanceof errors.ResponseError ? error.statusCode : undefined;
}

const OVERLOADED = 429;

function faultOf(error: unknown): unknown {
  if (error instanceof Fault) return error;
  const status = statusOf(error);
  // A refusal of what we asked is a defect of ours; everything else is the engine's trouble.
  const ours = status !== undefined && status < 500 && status !== OVERLOADED;
  if (ours) return error;
  const detail = "The search index does not answer at the moment.";
  return new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: 1_000 }, { cause: error });
}
