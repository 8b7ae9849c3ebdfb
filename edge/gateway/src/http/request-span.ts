import type { IncomingMessage } from "node:http";
import {
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { parseTraceparent, type TraceParent } from "@orrery/mesh/telemetry/trace";

const TRACER = "orrery.gateway";
const SERVER_ERROR = 500;

/** The span of one request; undefined where the process has no tracer. */
export type RequestSpan = Span | undefined;

/**
 * Does the work of one request inside a span of its own, under the caller's span where it names one, so that
 * every call behind the edge belongs to the trace that the answer names. Without a tracer in the process it
 * is a plain call.
 */
export function inRequestSpan(request: IncomingMessage, work: (span: RequestSpan) => void): void {
  const parent = parseTraceparent(request.headers.traceparent?.toString());
  const from = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
  const attributes = { "http.request.method": request.method ?? "" };
  const span = trace.getTracer(TRACER).startSpan("request", { kind: SpanKind.SERVER, attributes }, from);
  if (span.isRecording()) context.with(trace.setSpan(from, span), () => work(span));
  else work(undefined);
}

/** Ends the span of a request, named by its route. */
export function endRequestSpan(
  span: RequestSpan,
  about: { method: string; route: string; status: number },
): void {
  if (span === undefined) return;
  span.updateName(`${about.method} ${about.route}`);
  span.setAttributes({ "http.route": about.route, "http.response.status_code": about.status });
  if (about.status >= SERVER_ERROR) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

function contextOf({ traceId, spanId, sampled }: TraceParent): Context {
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}
