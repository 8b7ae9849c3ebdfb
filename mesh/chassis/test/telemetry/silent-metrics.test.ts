import { expect, test } from "@jest/globals";
import { createSilentMetrics } from "../../src/telemetry/silent-metrics.ts";

test("silent metrics take everything that services say of themselves, and show nothing of it", async () => {
  const metrics = createSilentMetrics();
  const counter = metrics.counter("jobs_total", "Jobs.", ["status"]);
  counter.inc({ status: "SUCCEEDED" }, 2);
  counter.labels("FAILED").inc();
  const gauge = metrics.gauge("depth", "Depth.");
  gauge.set(3);
  gauge.dec();
  const histogram = metrics.histogram("seconds", "Seconds.", ["route"]);
  histogram.labels("/v1/jobs").observe(0.1);
  histogram.startTimer()();
  metrics.sampled("sampled", "Sampled.", [], () => {
    throw new Error("nobody reads it");
  });
  expect(metrics.boundedLabel(1)("any")).toBe("any");
  expect(await metrics.registry.metrics()).toBe("\n");
});
