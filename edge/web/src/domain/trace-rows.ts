import type { Span } from "../api/contract.ts";
import { durationMs } from "../words/duration-text.ts";
import { timeMs } from "../words/time-text.ts";

/** A span as a bar: `from` and `width` are parts of the whole, 0 to 1. */
export interface TraceRow {
  readonly span: Span;
  readonly depth: number;
  readonly from: number;
  readonly width: number;
  /** Milliseconds after the beginning of the trace. */
  readonly startMs: number;
  readonly tookMs: number;
}

export interface Trace {
  readonly rows: readonly TraceRow[];
  readonly wholeMs: number;
  readonly beganMs: number;
}

/** Lays out the spans of a trace, each after the one that it is a part of, siblings by their start. */
export function layOutTrace(spans: readonly Span[]): Trace {
  const timed = spans.map((span) => ({
    span,
    beganMs: timeMs(span.startTime) ?? 0,
    tookMs: durationMs(span.duration) ?? 0,
  }));
  if (timed.length === 0) return { rows: [], wholeMs: 0, beganMs: 0 };
  const beganMs = Math.min(...timed.map((one) => one.beganMs));
  const wholeMs = Math.max(0.001, Math.max(...timed.map((one) => one.beganMs + one.tookMs)) - beganMs);
  const ids = new Set(spans.map(({ spanId }) => spanId));
  const below = Map.groupBy(timed, ({ span }) => (ids.has(span.parentSpanId) ? span.parentSpanId : ""));
  const rows: TraceRow[] = [];
  const place = (parent: string, depth: number): void => {
    const children = (below.get(parent) ?? []).toSorted((left, right) => left.beganMs - right.beganMs);
    below.delete(parent); // A span that names itself as its parent must not be placed for ever.
    for (const { span, beganMs: at, tookMs } of children) {
      const startMs = at - beganMs;
      rows.push({ span, depth, startMs, tookMs, from: startMs / wholeMs, width: tookMs / wholeMs });
      place(span.spanId, depth + 1);
    }
  };
  place("", 0);
  return { rows, wholeMs, beganMs };
}
