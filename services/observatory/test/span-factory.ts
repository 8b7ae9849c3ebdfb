import type { Span } from "../src/domain/span.ts";

export const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";

/** A span of a trace, named by a number and below another one. */
export function span(
  number: number,
  below: number | undefined,
  attributes: Record<string, string> = {},
  told: Partial<Span> = {},
): Span {
  return {
    traceId: TRACE_ID,
    spanId: idOf(number),
    parentSpanId: below === undefined ? "" : idOf(below),
    name: `work ${number}`,
    service: "jobs",
    startUs: 1_795_000_000_000_000 + number,
    durationUs: 1_500,
    failed: false,
    attributes,
    ...told,
  };
}

export const idOf = (number: number): string => number.toString(16).padStart(16, "0");
