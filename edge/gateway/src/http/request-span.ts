import type { IncomingMessage } from "node:http";
import { type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { ATTR } from "@orrery/mesh/telemetry/attributes";
import { inContextOf, inDroppedTrace, parseTraceparent } from "@orrery/mesh/telemetry/trace";
import { wouldDrop } from "@orrery/mesh/telemetry/trace-budget";

const TRACER = trace.getTracer("orrery.gateway");
const SERVER_ERROR = 500;

/** The span of one request; undefined where nobody records it. */
export type RequestSpan = Span | undefined;

/**
 * Does the work of one request inside a span of its own, under the caller's span where it names one, so that
 * every call behind the edge belongs to the trace that the answer names. Where nobody records spans the work
 * is only told its trace, for its log lines and for what it calls.
 */
export function inRequestSpan(request: IncomingMessage, work: (span: RequestSpan) => void): void {
  const parent = parseTraceparent(request.headers.traceparent?.toString());
  const { method = "", url = "" } = request;
  const change = isChange(method, url);
  if (wouldDrop(change)) {
    inDroppedTrace(parent, () => work(undefined));
    return;
  }
  inContextOf(parent, {
    start: (from) => {
      const attributes = { "http.request.method": method, [ATTR.CHANGE]: change };
      return TRACER.startSpan("request", { kind: SpanKind.SERVER, attributes }, from);
    },
    work,
  });
}

/** Ends the span of a request, named by its route. */
export function endRequestSpan(
  span: RequestSpan,
  about: { method: string; route: string; status: number; project: string | undefined },
): void {
  if (span === undefined) return;
  span.updateName(`${about.method} ${about.route}`);
  span.setAttributes({ "http.route": about.route, "http.response.status_code": about.status });
  if (about.project !== undefined) span.setAttribute(ATTR.PROJECT, about.project);
  if (about.status >= SERVER_ERROR) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

// Workers ask for work again and again: that begins nothing that somebody would look for.
const isChange = (method: string, target: string): boolean =>
  method !== "GET" && method !== "HEAD" && !target.startsWith("/v1/work:");
