import { expect, test } from "@jest/globals";
import { systemClock } from "@orrery/mesh/time/clock";
import { readEvent } from "../../src/adapters/events/event-reader.ts";
import type { TraceStore } from "../../src/application/ports.ts";
import { readTrace } from "../../src/application/read-trace.ts";
import type { Span } from "../../src/domain/span.ts";
import { embeddedReadModel } from "../embedded-factory.ts";
import { eventText } from "../event-factory.ts";
import { NOON_MS, uuidAt } from "../projection-factory.ts";
import { idOf, span, TRACE_ID } from "../span-factory.ts";

const ID = uuidAt(NOON_MS, 1);
const ASKED = {
  project: "demo",
  id: ID,
  consistencyToken: "",
  signal: new AbortController().signal,
};
const clock = systemClock;
const MINE = { "orrery.project": "demo" };

function storeOf(spans: readonly Span[], whole = true): TraceStore {
  return {
    add: () => Promise.resolve(0),
    read: (traceId) => Promise.resolve({ spans: spans.filter((one) => one.traceId === traceId), whole }),
    close: () => undefined,
  };
}

async function worldWith(traceId: string | undefined) {
  const world = await embeddedReadModel();
  const about = { id: ID, version: 1, name: "JobQueued", timeMs: NOON_MS };
  const reading = readEvent(eventText(about, {}, { told: { traceId } }));
  if (!("projection" in reading)) throw new Error(reading.deadLetter);
  await world.readModel.apply([reading.projection]);
  return world;
}

test("the trace of a job is that of its first event, by the start of its spans", async () => {
  await using world = await worldWith(TRACE_ID);
  const traces = storeOf([span(2, 1, MINE), span(1, undefined, MINE), span(3, 1, { "orrery.project": "x" })]);
  const trace = await readTrace({ readModel: world.readModel, traces, clock }, "job")(ASKED);
  expect(trace).toMatchObject({ traceId: TRACE_ID, complete: true });
  expect(trace.spans.map(({ spanId }) => spanId)).toEqual([idOf(1), idOf(2)]);
});

test("a trace that was not kept, or not whole, or is too long, says so", async () => {
  await using world = await worldWith(TRACE_ID);
  const { readModel } = world;
  const none = await readTrace({ readModel, traces: storeOf([]), clock }, "job")(ASKED);
  expect([none.traceId, none.spans.length, none.complete]).toEqual([TRACE_ID, 0, false]);
  const cutStore = storeOf([span(1, undefined, MINE)], false);
  const cut = await readTrace({ readModel, traces: cutStore, clock }, "job")(ASKED);
  expect([cut.spans.length, cut.complete]).toEqual([1, false]);
  const many = Array.from({ length: 1_001 }, (_, number) => span(number + 1, undefined, MINE));
  const long = await readTrace({ readModel, traces: storeOf(many), clock }, "job")(ASKED);
  expect([long.spans.length, long.complete]).toEqual([1_000, false]);
});

test("another project's job is not there, and a job without a trace has an empty one", async () => {
  await using world = await worldWith(undefined);
  const read = readTrace({ readModel: world.readModel, traces: storeOf([]), clock }, "job");
  await expect(read({ ...ASKED, project: "second" })).rejects.toMatchObject({ reason: "NOT_FOUND" });
  expect(await read(ASKED)).toEqual({ traceId: "", spans: [], complete: false });
});
