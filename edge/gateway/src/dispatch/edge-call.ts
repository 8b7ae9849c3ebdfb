import { Fault } from "@orrery/mesh/fault/fault";
import type { HeaderReader } from "../auth/authenticate.ts";
import type { Caller } from "../auth/key-store.ts";

/** One call from outside, whatever protocol it came by: who asks, and what goes on with it. */
export interface EdgeCall {
  readonly caller: Caller;
  readonly header: HeaderReader;
  readonly correlationId: string;
  readonly traceparent: string;
  /** 32 hex digits. */
  readonly traceId: string;
  /** The path of the request, for problem documents. */
  readonly instance: string;
  /** Aborted when the client goes away, or when its time is over: the reason says which. */
  readonly signal: AbortSignal;
  /** Milliseconds that the client gives the call; undefined where it did not say. */
  readonly timeoutMs?: number | undefined;
  /** Bytes of the body that the request came in, where they are known. */
  readonly bodyBytes?: number | undefined;
  /** Counts one item of a stream against the caller's rate. @throws Fault RATE_LIMITED */
  readonly spend?: () => void;
  /** Told once the service has admitted a stream, before its first message. */
  readonly onAdmitted?: () => void;
}

/** What a caller is told whose own time is over. */
export const outOfTime = (): Fault =>
  new Fault("DEADLINE_EXCEEDED", { detail: "There was no answer within the deadline of the call." });

/** How a call ended that nobody waits for any more. */
export const clientGone = (): Fault => new Fault("CANCELLED", { detail: "The client went away." });
