import { Fault } from "@orrery/mesh/fault/fault";
import type { KeyedRequest, KeyState } from "./ports.ts";

const RETRY_AFTER_MS = 1_000;

/**
 * Turns what a key stands for into what to do: nothing stands in the way, or the stored answer is given
 * again.
 *
 * @returns the stored answer, or undefined where the request is to be carried out
 * @throws Fault `IDEMPOTENCY_IN_FLIGHT` (retry after 1 s) · `IDEMPOTENCY_KEY_REUSED` (never)
 */
export function storedAnswer(request: KeyedRequest, state: KeyState): Uint8Array | undefined {
  if (state.kind === "new") return undefined;
  if (state.kind === "in_flight") {
    const detail = `a request with the idempotency key ${JSON.stringify(request.key)} is still under way`;
    throw new Fault("IDEMPOTENCY_IN_FLIGHT", { detail, retryAfterMs: RETRY_AFTER_MS });
  }
  if (state.fingerprint === request.fingerprint) return state.response;
  throw keyReused(request);
}

/** The refusal of a key that stands for another request. */
export const keyReused = ({ key }: KeyedRequest): Fault =>
  new Fault("IDEMPOTENCY_KEY_REUSED", {
    detail: `the idempotency key ${JSON.stringify(key)} was used for another request`,
  });

/** As `storedAnswer`, with the fault as a value: for requests that share a transaction. */
export function answerOrFault(request: KeyedRequest, state: KeyState): Uint8Array | Fault | undefined {
  try {
    return storedAnswer(request, state);
  } catch (failure) {
    if (failure instanceof Fault) return failure;
    throw failure;
  }
}
