import type { DescMethod } from "@bufbuild/protobuf";
import { Fault } from "../fault/fault.ts";

/** For whom a call is made, as a workload that may speak for others said it. */
export interface OnBehalf {
  readonly project: string;
  /** Who asks inside the project: an API key or a user. */
  readonly principal: string;
  readonly scopes: readonly string[];
}

/** One call under way on the server: who asks, for whom, until when. */
export interface Call {
  readonly method: DescMethod;
  /** The workload that calls, by its certificate or the mesh's word. */
  readonly caller: string;
  /** For whom it calls; undefined where it calls for itself. Only workloads under `on_behalf` can set it. */
  readonly onBehalf: OnBehalf | undefined;
  /** 1 to 128 visible characters; made here when the caller sent none. */
  readonly correlationId: string;
  /** This call's span (W3C Trace Context), to be passed on as the parent of what the handler calls. */
  readonly traceparent: string;
  /** Ends when the caller goes away, the deadline passes, or the server's drain runs out. */
  readonly signal: AbortSignal;
  /** When the call has to have ended, by the monotonic clock; undefined for a stream without an end. */
  readonly deadlineMs: number | undefined;
  /**
   * Milliseconds that are left, at most `capMs`, at least 0: the timeout of whatever the handler calls.
   */
  remainingMs(capMs: number): number;
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined;
  /**
   * Tells the caller that the call is admitted: sends the initial metadata now. For streams; a repeat does
   * nothing.
   */
  accept(): void;
}

/**
 * The metadata that carries a call's context. Read from workloads that may speak for others, ignored from
 * outside.
 */
export const CONTEXT_HEADERS = {
  project: "orrery-project",
  principal: "orrery-principal",
  scopes: "orrery-scopes",
  correlationId: "x-correlation-id",
  traceparent: "traceparent",
} as const;

/**
 * For whom the call is made.
 *
 * @throws Fault `CALLER_NOT_ALLOWED` when the caller named nobody
 */
export function requireOnBehalf(call: Call): OnBehalf {
  if (call.onBehalf !== undefined) return call.onBehalf;
  throw new Fault("CALLER_NOT_ALLOWED", {
    detail: `${call.method.parent.name}.${call.method.name} is answered only on behalf of a project`,
  });
}

/** Who asks, and what its request is known by wherever it leads. */
export interface Caller {
  readonly project: string;
  /** An API key or a user. */
  readonly principal: string;
  readonly correlationId: string;
  readonly traceparent: string;
}

/** Who asks, in a call on behalf of a project. @throws Fault `CALLER_NOT_ALLOWED` where nobody is named */
export function callerOf(call: Call): Caller {
  const { project, principal } = requireOnBehalf(call);
  return { project, principal, correlationId: call.correlationId, traceparent: call.traceparent };
}

/** The metadata to send with a call: for whom, under which correlation id, inside which trace. */
export function callHeaders(context: {
  onBehalf?: OnBehalf | undefined;
  correlationId: string;
  traceparent: string;
}): Record<string, string> {
  const headers: Record<string, string> = {
    [CONTEXT_HEADERS.correlationId]: context.correlationId,
    [CONTEXT_HEADERS.traceparent]: context.traceparent,
  };
  if (context.onBehalf !== undefined) {
    headers[CONTEXT_HEADERS.project] = context.onBehalf.project;
    headers[CONTEXT_HEADERS.principal] = context.onBehalf.principal;
    headers[CONTEXT_HEADERS.scopes] = context.onBehalf.scopes.join(",");
  }
  return headers;
}
