import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { exportingProvider } from "./flush.ts";
import { parseTraceparent, type TraceParent } from "./trace.ts";

/** What one piece of work is, as a trace shows it. */
export interface ItemWork {
  readonly kind?: "server" | "client" | "producer" | "consumer" | "internal";
  /** Names from ATTR: never a payload, a token or a text that a user typed. */
  readonly attributes?: Attributes;
  /** By the monotonic clock; now unless set. */
  readonly startMs?: number;
}

/** A span of one item while its work is done. */
export interface ItemSpan {
  /** For what goes on from here. */
  readonly traceparent: string;
  /** `endMs` by the monotonic clock; now unless set. */
  end(how?: { readonly failed?: boolean; readonly endMs?: number; readonly attributes?: Attributes }): void;
}

const TRACER = trace.getTracer("orrery");
const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;
const FLAGS_END = "00-00000000000000000000000000000000-0000000000000000-0".length;

/**
 * Begins a span of one item among many that are worked on together: each is in a trace of its own, so no context can
 * carry it. Costs next to nothing where the trace is not kept, or nobody collects spans.
 *
 * @param traceparent - what the item came with
 * @returns undefined where nothing is recorded
 */
export function openItemSpan(traceparent: string, name: string, work: ItemWork = {}): ItemSpan | undefined {
  if (!isTraced(traceparent)) return undefined;
  const parent = parseTraceparent(traceparent);
  if (parent === undefined) return undefined;
  const { kind = "internal", attributes = {}, startMs } = work;
  const options = { kind: KINDS[kind], attributes, ...(startMs === undefined ? {} : { startTime: startMs }) };
  const span = TRACER.startSpan(name, options, decidedContext(parent));
  const { traceId, spanId } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-01`,
    end: ({ failed = false, endMs, attributes: more } = {}) => {
      if (more !== undefined) span.setAttributes(more);
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end(endMs);
    },
  };
}

/** Whether a span would be recorded: asked first where even its attributes would cost too much. */
export function isTraced(traceparent: string): boolean {
  return isTracing() && isSampled(traceparent);
}

/** Whether a `traceparent` says that its trace is kept. Reads one character. */
export function isSampled(traceparent: string): boolean {
  return (Number.parseInt(traceparent.charAt(FLAGS_END), 16) & 1) === 1;
}

/** The same `traceparent` as one of a trace that nobody keeps. */
export function unsampled(traceparent: string): string {
  return `${traceparent.slice(0, FLAGS_END)}0${traceparent.slice(FLAGS_END + 1)}`;
}

let tracing: boolean | undefined;

/** A tracer is registered before anything else runs, or never: looked at once. */
function isTracing(): boolean {
  tracing ??= exportingProvider() !== undefined;
  return tracing;
}

/** The trace was decided on at the edge: a parent that counts as remote would be decided on once more there. */
function decidedContext({ traceId, spanId }: TraceParent): Context {
  const parent = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: false };
  return trace.setSpanContext(ROOT_CONTEXT, parent);
}
