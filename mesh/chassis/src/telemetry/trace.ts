import { randomFillSync } from "node:crypto";
import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  TraceFlags,
  trace,
} from "@opentelemetry/api";

/** A trace and a span inside it, as they travel in `traceparent`. */
export interface TraceParent {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string;
  readonly sampled: boolean;
}

const TRACEPARENT =
  /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED = 1;

/**
 * Reads a `traceparent` header.
 *
 * @returns undefined when it is absent or malformed; the receiver then begins a trace of its own
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function parseTraceparent(header: string | undefined): TraceParent | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(header ?? "") ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === "00" && rest !== undefined) return undefined;
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

/** Begins a trace: a `traceparent` with ids of its own, sampled. */
export function newTraceparent(): string {
  return format({ traceId: hex(16), spanId: hex(8), sampled: true });
}

/**
 * The `traceparent` to hand on: the span that is open in this process if there is one, else a new span under
 * the given parent, else a new trace.
 */
export function childTraceparent(parent: string | undefined): string {
  const context = trace.getActiveSpan()?.spanContext();
  if (context !== undefined)
    return format({ ...context, sampled: (context.traceFlags & SAMPLED) === SAMPLED });
  const parsed = parseTraceparent(parent);
  return parsed === undefined ? newTraceparent() : format({ ...parsed, spanId: hex(8) });
}

/**
 * Does work in a span that `start` makes below a parent from outside. Where it does not record, for want of a
 * collector or because the caller asked for none, the work still runs in its trace: log lines and calls name it.
 *
 * @param parent - undefined where the work begins a trace of its own
 */
export function inContextOf<T>(
  parent: TraceParent | undefined,
  { start, work }: { start: (from: Context) => Span; work: (span: Span | undefined) => T },
): T {
  const from = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
  const span = start(from);
  if (span.isRecording()) return context.with(trace.setSpan(from, span), () => work(span));
  const made = span.spanContext();
  // A tracer that decided against the trace says so to everyone behind; without a tracer nobody decided.
  const dropped = made.spanId !== parent?.spanId && isSpanContextValid(made);
  const own = dropped
    ? { ...made, sampled: false }
    : { traceId: parent?.traceId ?? hex(16), spanId: hex(8), sampled: parent?.sampled ?? true };
  return context.with(contextOf(own), () => work(undefined));
}

/** Does work in a trace that nobody keeps: log lines and calls name it, and no span is made. */
export function inDroppedTrace<T>(parent: TraceParent | undefined, work: () => T): T {
  const own = { traceId: parent?.traceId ?? hex(16), spanId: hex(8), sampled: false };
  return context.with(contextOf(own), work);
}

/**
 * Does work as a part of the trace that a `traceparent` names, so that its log lines name it too. Does nothing more
 * where a span is open already, or the header cannot be read.
 */
export function inTraceOf<T>(traceparent: string, work: () => T): T {
  const parent = trace.getActiveSpan() === undefined ? parseTraceparent(traceparent) : undefined;
  return parent === undefined ? work() : context.with(contextOf(parent), work);
}

function contextOf({ traceId, spanId, sampled }: TraceParent): Context {
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

/** The trace that a `traceparent` belongs to: 32 hex digits; a new one where it cannot be read. */
export function traceIdOf(traceparent: string | undefined): string {
  return parseTraceparent(traceparent)?.traceId ?? hex(16);
}

function format({ traceId, spanId, sampled }: TraceParent): string {
  return `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`;
}

// Random bytes are drawn by the page: one call into the operating system's generator for each id was 4 % of the
// gateway.
const reserve = Buffer.alloc(4_096);
let drawn = reserve.length;

function hex(bytes: number): string {
  if (drawn + bytes > reserve.length) {
    randomFillSync(reserve);
    drawn = 0;
  }
  drawn += bytes;
  return reserve.toString("hex", drawn - bytes, drawn);
}
