import { expect, test } from "@jest/globals";
import { createBatcher } from "../../src/batching/batcher.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";

const empty = (): Metrics => createMetrics({ service: "echo", defaults: false });

test("a sampled gauge is read when the metrics are, and not before", async () => {
  const metrics = empty();
  let asked = 0;
  metrics.sampled("orrery_things", "Things.", [], (gauge) => gauge.set(++asked));
  expect(asked).toBe(0);
  expect(await metrics.registry.metrics()).toContain('orrery_things{service="echo"} 1');
  expect(await metrics.registry.metrics()).toContain('orrery_things{service="echo"} 2');
});

test("two that share a sampled gauge both show, under their own labels", async () => {
  const metrics = empty();
  for (const kind of ["a", "b"]) {
    metrics.sampled("orrery_things", "Things.", ["kind"], (gauge) => gauge.set({ kind }, 1));
  }
  const text = await metrics.registry.metrics();
  expect(text.match(/^orrery_things\{.*\} 1$/gm)).toHaveLength(2);
});

test("what waits for a batch shows under the batch's name, and is gone with the batch", async () => {
  const metrics = empty();
  const gate = Promise.withResolvers<void>();
  const run = async (items: readonly number[]): Promise<readonly number[]> => {
    await gate.promise;
    return items;
  };
  const batcher = createBatcher({ name: "echo", maxItems: 1, maxInFlight: 1, maxQueued: 9, metrics, run });
  const outcomes = [1, 2, 3].map((item) => batcher.submit(item));
  await new Promise((resolve) => setImmediate(resolve));
  expect(await metrics.registry.metrics()).toContain('orrery_batch_waiting{batch="echo",service="echo"} 2');
  gate.resolve();
  await Promise.all(outcomes);
  expect(await metrics.registry.metrics()).toContain('orrery_batch_waiting{batch="echo",service="echo"} 0');
});
