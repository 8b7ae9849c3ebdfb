import { afterEach, expect, jest, test } from "@jest/globals";
import { type TracerProvider, trace } from "@opentelemetry/api";
import { flushTelemetry } from "../../src/telemetry/flush.ts";

afterEach(() => {
  trace.disable();
  jest.useRealTimers();
});

const exporting = (forceFlush: () => Promise<void>): void =>
  void trace.setGlobalTracerProvider({
    getTracer: () => trace.getTracer("none"),
    forceFlush,
  } as TracerProvider);

test("a stop waits for the last spans", async () => {
  const sent = Promise.withResolvers<void>();
  exporting(() => sent.promise);
  let stopped = false;
  const flushing = flushTelemetry().then(() => (stopped = true));
  await Promise.resolve();
  expect(stopped).toBe(false);
  sent.resolve();
  await flushing;
});

test("a stop waits a second for a collector that is away, and no longer", async () => {
  jest.useFakeTimers();
  exporting(() => new Promise(() => undefined));
  const flushing = flushTelemetry();
  await jest.advanceTimersByTimeAsync(1_000);
  await flushing;
});

test("a collector that refuses is no reason not to stop", async () => {
  exporting(() => Promise.reject(new Error("refused")));
  await expect(flushTelemetry()).resolves.toBeUndefined();
});
