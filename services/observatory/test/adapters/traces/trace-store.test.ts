import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { TRACE_LIMITS, type TraceLimits } from "../../../src/adapters/traces/trace-limits.ts";
import { openTraceStore } from "../../../src/adapters/traces/trace-store.ts";
import type { TraceStore } from "../../../src/application/ports.ts";
import type { Span } from "../../../src/domain/span.ts";
import { span, TRACE_ID } from "../../span-factory.ts";

const clock = new ManualClock(Date.parse("2026-11-20T12:00:00Z"));
let folder: string;
const opened: TraceStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-traces-"));
});
afterEach(() => {
  for (const store of opened.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(limits: Partial<TraceLimits> = {}): TraceStore {
  const store = openTraceStore({ folder, clock, limits: { ...TRACE_LIMITS, ...limits } });
  opened.push(store);
  return store;
}
const traceOf = (number: number): string => number.toString(16).padStart(32, "0");
const spansOf = (trace: number, count: number): readonly Span[] =>
  Array.from({ length: count }, (_, index) => span(index + 1, undefined, {}, { traceId: traceOf(trace) }));

test("what was added is read back as it was, by its start, and once", async () => {
  const store = open();
  const spans = [span(2, 1, { "orrery.project": "demo" }, { failed: true }), span(1, undefined)];
  expect(await store.add(spans)).toBe(0);
  expect(await store.add(spans)).toBe(0);
  expect(await store.read(TRACE_ID)).toEqual({ spans: [spans[1], spans[0]], whole: true });
  expect(await store.read(traceOf(7))).toEqual({ spans: [], whole: false });
});

test("two processes share the file, and a new one finds what an old one kept", async () => {
  const [one, other] = [open(), open()];
  await one.add([span(1, undefined)]);
  await other.add([span(2, 1)]);
  expect((await open().read(TRACE_ID)).spans).toHaveLength(2);
});

test("a trace takes so many spans, and says that some are missing", async () => {
  const store = open({ spansInTrace: 3 });
  expect(await store.add(spansOf(1, 2))).toBe(0);
  expect(await store.add(spansOf(1, 5).slice(2))).toBe(2);
  const { spans, whole } = await store.read(traceOf(1));
  expect([spans.length, whole]).toEqual([3, false]);
});

test("too many spans in all cost the oldest traces first", async () => {
  const store = open({ spans: 100, sweepEveryMs: 0, sweptTraces: 1 });
  for (let trace = 1; trace <= 30; trace++) {
    clock.advance(10);
    await store.add(spansOf(trace, 10));
  }
  const kept = await Promise.all(Array.from({ length: 30 }, (_, index) => store.read(traceOf(index + 1))));
  const lengths = kept.map(({ spans }) => spans.length);
  expect(lengths.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 0));
  expect(lengths.slice(20)).toEqual(Array.from({ length: 10 }, () => 10));
});

test("too many bytes cost the oldest traces until it fits", async () => {
  const bytes = 400_000;
  const store = open({ bytes, sweepEveryMs: 0, sweptTraces: 5 });
  for (let trace = 1; trace <= 60; trace++) {
    clock.advance(10);
    await store.add(spansOf(trace, 100));
  }
  expect((await store.read(traceOf(1))).spans).toEqual([]);
  expect((await store.read(traceOf(60))).spans).toHaveLength(100);
});

test("a trace goes at its age", async () => {
  const store = open({ sweepEveryMs: 0 });
  await store.add(spansOf(1, 1));
  clock.advance(TRACE_LIMITS.ageMs + 1);
  await store.add(spansOf(2, 1));
  expect((await store.read(traceOf(1))).spans).toEqual([]);
  expect((await store.read(traceOf(2))).spans).toHaveLength(1);
});
