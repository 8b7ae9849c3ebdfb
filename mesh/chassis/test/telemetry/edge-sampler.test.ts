import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import { ROOT_CONTEXT, SpanKind } from "@opentelemetry/api";
import type { Sampler } from "@opentelemetry/sdk-trace";
import { ManualClock } from "../../src/testing/manual-clock.ts";

const load = createRequire(import.meta.url);
const { edgeSampler } = load("../../src/telemetry/edge-sampler.cjs") as {
  edgeSampler(limits: { perSecond: number; ratio: number; now: () => number }): Sampler & {
    wouldDrop(change: boolean): boolean;
  };
};

function sampler(perSecond: number, ratio: number) {
  const clock = new ManualClock(0);
  const made = edgeSampler({ perSecond, ratio, now: () => clock.monotonicMs() });
  let traces = 0;
  const kept = (
    times: number,
    attributes: Record<string, boolean> = { "orrery.change": true },
    name = "request",
  ) => {
    let count = 0;
    for (let time = 0; time < times; time++) {
      traces += 1;
      // Spread evenly: the ratio is decided by the id.
      const traceId = ((traces * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, "0").padEnd(32, "0");
      const { decision } = made.shouldSample(ROOT_CONTEXT, traceId, name, SpanKind.SERVER, attributes, []);
      if (decision > 0) count += 1;
    }
    return count;
  };
  return { clock, kept, wouldDrop: made.wouldDrop };
}

test("few requests are all kept, many as often as allowed, and a second later again", () => {
  const { clock, kept } = sampler(50, 0);
  expect(kept(50)).toBe(50);
  expect(kept(1_000)).toBe(0);
  clock.advance(500);
  expect(kept(1_000)).toBe(25);
  clock.advance(60_000);
  expect(kept(1_000)).toBe(50);
});

test("reads take nothing from what changes something", () => {
  const { kept } = sampler(50, 0);
  expect(kept(1_000, { "orrery.change": false })).toBe(5);
  expect(kept(50)).toBe(50);
});

test("a call of gRPC is known by its name", () => {
  const { kept } = sampler(50, 0);
  expect(kept(100, {}, "grpc.orrery.jobs.v1.JobsService/GetJob")).toBe(5);
  expect(kept(100, {}, "grpc.orrery.jobs.v1.JobsService/SubmitJob")).toBe(50);
});

test("of what is beyond, the share that was asked for is kept", () => {
  const { kept } = sampler(50, 0.1);
  expect(kept(50)).toBe(50);
  const share = kept(5_000) / 5_000;
  expect(share).toBeGreaterThan(0.08);
  expect(share).toBeLessThan(0.12);
});

test("it says beforehand that a trace would be dropped, and spends nothing by that", () => {
  const { clock, kept, wouldDrop } = sampler(50, 0);
  expect(wouldDrop(true)).toBe(false);
  expect(kept(1_000)).toBe(50);
  expect([wouldDrop(true), wouldDrop(false)]).toEqual([true, false]);
  clock.advance(20);
  expect([wouldDrop(true), wouldDrop(true)]).toEqual([false, false]);
  expect(kept(10)).toBe(1);
});

test("where a share of the rest is kept, nothing is given up beforehand", () => {
  const { kept, wouldDrop } = sampler(50, 0.1);
  kept(1_000);
  expect(wouldDrop(true)).toBe(false);
});
