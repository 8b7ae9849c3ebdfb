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

/** Until everything that is ready to go on has gone on. */
const settled = (): Promise<void> => new Promise((done) => setImmediate(done));

test("a stop waits for the last spans", async () => {
  const sent = Promise.withResolvers<void>();
  exporting(() => sent.promise);
  let ended = false;
  const flushing = flushTelemetry().then(() => (ended = true));
  await settled();
  expect(ended).toBe(false);
  sent.resolve();
  await flushing;
});

test("a stop waits a second for a collector that is away, and no longer", async () => {
  jest.useFakeTimers();
  exporting(() => new Promise(() => undefined));
  let ended = false;
  void flushTelemetry().then(() => (ended = true));
  await jest.advanceTimersByTimeAsync(999);
  expect(ended).toBe(false);
  await jest.advanceTimersByTimeAsync(1);
  expect(ended).toBe(true);
});

test("a collector that refuses is no reason not to stop", async () => {
  exporting(() => Promise.reject(new Error("refused")));
  await expect(flushTelemetry()).resolves.toBeUndefined();
});
