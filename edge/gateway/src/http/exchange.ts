import { AsyncLocalStorage } from "node:async_hooks";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Fault } from "@orrery/mesh/fault/fault";
import { childTraceparent, traceIdOf } from "@orrery/mesh/telemetry/trace";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import type { HeaderReader } from "../auth/authenticate.ts";
import type { Caller } from "../auth/key-store.ts";
import type { UnsentBytes } from "../dispatch/unsent-bytes.ts";

/** What joins a request to everything that it leads to. */
export interface RequestTrace {
  readonly requestId: string;
  readonly correlationId: string;
  /** W3C Trace Context, the edge's own span. */
  readonly traceparent: string;
  /** 32 hex digits. */
  readonly traceId: string;
}

/** One request on the HTTP port and its answer, from the first header to the log line. */
export interface Exchange extends RequestTrace {
  readonly httpMethod: string;
  /** The request target as it came. */
  readonly target: string;
  /** The target without its query; also the `instance` of a problem document. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly header: HeaderReader;
  readonly signal: AbortSignal;
  /** What all clients have not taken yet of their answers. */
  readonly unsent: UnsentBytes;
  readonly startedMs: number;
  /** Headers that the answer gets in any case. */
  readonly answerHeaders: Record<string, string>;
  caller: Caller | undefined;
  /** The route as metrics name it, where that is known without the path. */
  label: string | undefined;
  /** What was refused, for the log. */
  fault: Fault | undefined;
  /** The answer is made message by message. */
  streaming: boolean;
  /** Called when the service has admitted a stream. */
  onAdmitted: (() => void) | undefined;
  /** A stream that ended before its first message. */
  endedEmpty: boolean;
  /** `Prefer: wait` was asked for, and the job ended in that time. */
  waitedToTheEnd: boolean;
}

/** The exchange that the current code works for: the transcoder's hooks get messages, not requests. */
export const currentExchange = new AsyncLocalStorage<Exchange>();

const CORRELATION_ID = /^[!-~]{1,128}$/;

/** Reads or makes the ids of a request; an id that is malformed counts as absent. */
export function requestTrace(header: HeaderReader, clock: Clock): RequestTrace {
  const requestId = uuidV7(clock);
  const given = header("x-correlation-id");
  const traceparent = childTraceparent(header("traceparent"));
  return {
    requestId,
    correlationId: given !== undefined && CORRELATION_ID.test(given) ? given : requestId,
    traceparent,
    traceId: traceIdOf(traceparent),
  };
}

/** The headers of every answer, to whatever it answers. */
export const answerHeadersOf = (trace: RequestTrace): Record<string, string> => ({
  "x-request-id": trace.requestId,
  "x-correlation-id": trace.correlationId,
  traceparent: trace.traceparent,
  "x-content-type-options": "nosniff",
});

const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

// RFC 9112, 3.2.2: every server takes the absolute form too. What it says of the host counts for nothing here.
function originForm(target: string): string {
  const local = target.replace(ABSOLUTE_FORM, "");
  return local === target || local.startsWith("/") ? local : `/${local}`;
}

/**
 * Opens the exchange of a request. Its signal is aborted when the client goes away before the answer is out.
 */
export function openExchange(
  request: IncomingMessage,
  response: ServerResponse,
  { clock, unsent }: { readonly clock: Clock; readonly unsent: UnsentBytes },
): Exchange {
  const { headers, method = "" } = request;
  const url = originForm(request.url ?? "");
  const header: HeaderReader = (name) => {
    const value = headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  };
  const trace = requestTrace(header, clock);
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  const query = url.indexOf("?");
  return {
    ...trace,
    httpMethod: method,
    target: url,
    path: query < 0 ? url : url.slice(0, query),
    headers,
    header,
    signal: gone.signal,
    unsent,
    startedMs: clock.monotonicMs(),
    answerHeaders: answerHeadersOf(trace),
    caller: undefined,
    label: undefined,
    fault: undefined,
    streaming: false,
    onAdmitted: undefined,
    endedEmpty: false,
    waitedToTheEnd: false,
  };
}
