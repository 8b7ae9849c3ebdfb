import { type Paint, printable } from "../terminal.ts";
import { textOf } from "./columns.ts";
import type { Row } from "./table.ts";

interface Placed {
  readonly span: Row;
  readonly depth: number;
  readonly startMs: number;
  readonly tookMs: number;
}

const BAR_LEAST = 20;
const SERVICE_WIDTH = 13;

/** Spans as bars over one time axis, each below the one that it is a part of. */
export function waterfall(
  spans: readonly Row[],
  { columns, paint }: { columns: number; paint: Paint },
): readonly string[] {
  const rows = inOrder(spans);
  const beginMs = Math.min(...rows.map(({ startMs }) => startMs));
  const wholeMs = Math.max(0.001, Math.max(...rows.map(({ startMs, tookMs }) => startMs + tookMs)) - beginMs);
  const names = rows.map(({ span, depth }) => `${"  ".repeat(depth)}${printable(textOf(span.name))}`);
  const nameWidth = Math.min(48, Math.max(...names.map((name) => name.length)));
  const barWidth = Math.max(BAR_LEAST, columns - nameWidth - SERVICE_WIDTH - 14);
  return rows.map(({ span, startMs, tookMs }, index) => {
    const from = Math.min(barWidth - 1, Math.floor(((startMs - beginMs) / wholeMs) * barWidth));
    const length = Math.max(1, Math.min(barWidth - from, Math.round((tookMs / wholeMs) * barWidth)));
    const bar = `${" ".repeat(from)}${"━".repeat(length)}`.padEnd(barWidth);
    const failed = span.failed === true;
    const service = printable(textOf(span.service))
      .slice(0, SERVICE_WIDTH - 1)
      .padEnd(SERVICE_WIDTH);
    const name = (names[index] ?? "").slice(0, nameWidth).padEnd(nameWidth);
    const took = `${tookMs < 10 ? tookMs.toFixed(2) : tookMs.toFixed(0)} ms`.padStart(10);
    return `${paint("gray", service)}${name} ${paint(failed ? "red" : "cyan", bar)} ${took}${failed ? " ✖" : ""}`;
  });
}

/** Each span after the one that it is a part of, siblings by their start. One without a known parent is at the top. */
function inOrder(spans: readonly Row[]): readonly Placed[] {
  const ids = new Set(spans.map(({ spanId }) => textOf(spanId)));
  const below = Map.groupBy(spans, ({ parentSpanId }) => {
    const parent = textOf(parentSpanId);
    return ids.has(parent) ? parent : "";
  });
  const placed: Placed[] = [];
  const place = (parent: string, depth: number): void => {
    const children = [...(below.get(parent) ?? [])].sort((left, right) => startOf(left) - startOf(right));
    below.delete(parent); // a span that names itself as its parent must not be placed for ever
    for (const span of children) {
      const tookMs = Number.parseFloat(textOf(span.duration) || "0") * 1_000;
      placed.push({ span, depth, startMs: startOf(span), tookMs });
      place(textOf(span.spanId), depth + 1);
    }
  };
  place("", 0);
  return placed;
}

/** Milliseconds with their fraction, which `Date` would cut. */
function startOf({ startTime }: Row): number {
  const text = textOf(startTime);
  const fraction = /\.(\d+)Z$/.exec(text)?.[1] ?? "";
  return Date.parse(text.replace(/\.\d+Z$/, "Z")) + Number(`0.${fraction || "0"}`) * 1_000;
}
