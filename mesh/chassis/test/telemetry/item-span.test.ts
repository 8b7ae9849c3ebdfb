import { expect, test } from "@jest/globals";
import { trace } from "@opentelemetry/api";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { isSampled, openItemSpan } from "../../src/telemetry/item-span.ts";
import { parseTraceparent } from "../../src/telemetry/trace.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const KEPT = `00-${TRACE}-b7ad6b7169203331-01`;

const exporter = new InMemorySpanExporter();
trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
);

test.each([
  [KEPT, true],
  [`00-${TRACE}-b7ad6b7169203331-00`, false],
  [`00-${TRACE}-b7ad6b7169203331-03`, true],
  [`00-${TRACE}-b7ad6b7169203331-0a`, false],
  [`00-${TRACE}-b7ad6b7169203331-0b`, true],
  ["", false],
  ["nonsense", false],
])("%p is kept: %p", (traceparent, kept) => {
  expect(isSampled(traceparent)).toBe(kept);
  expect(openItemSpan(traceparent, "work") !== undefined).toBe(kept);
});

test("a span goes on from what its item came with, and the next one from it", () => {
  exporter.reset();
  const outer = openItemSpan(KEPT, "outer", { kind: "server", attributes: { "orrery.project": "demo" } });
  const inner = openItemSpan(outer?.traceparent ?? "", "inner");
  inner?.end({ failed: true });
  outer?.end({ attributes: { "orrery.aggregate": "a" } });
  const [second, first] = exporter.getFinishedSpans();
  expect(first?.parentSpanContext?.spanId).toBe("b7ad6b7169203331");
  expect(first?.attributes).toEqual({ "orrery.project": "demo", "orrery.aggregate": "a" });
  expect(second?.parentSpanContext?.spanId).toBe(first?.spanContext().spanId);
  expect([first?.spanContext().traceId, second?.spanContext().traceId]).toEqual([TRACE, TRACE]);
  expect([first?.status.code, second?.status.code]).toEqual([0, 2]);
  expect(parseTraceparent(outer?.traceparent)).toMatchObject({ traceId: TRACE, sampled: true });
});

test("a span takes the times that it is told", () => {
  exporter.reset();
  const endMs = performance.now();
  openItemSpan(KEPT, "work", { startMs: endMs - 250 })?.end({ endMs });
  const [span] = exporter.getFinishedSpans();
  expect((span?.duration[1] ?? 0) / 1e6).toBeCloseTo(250, 0);
});
