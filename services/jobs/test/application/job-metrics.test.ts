import { expect, test } from "@jest/globals";
import { createMetrics } from "@orrery/mesh/telemetry/metrics";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { createQueueGauges } from "../../src/application/job-metrics.ts";
import type { Queues } from "../../src/application/ports.ts";

test("two replicas show the same wait, however long ago each of them read the queues", async () => {
  const clock = new ManualClock();
  const beganMs = clock.nowMs() - 10_000;
  const depths = async () => [
    { queue: "media", status: "QUEUED", jobs: 3, oldestWaitSeconds: (clock.nowMs() - beganMs) / 1_000 },
    { queue: "media", status: "RUNNING", jobs: 1, oldestWaitSeconds: 0 },
    { queue: "idle", status: "RUNNING", jobs: 1, oldestWaitSeconds: 0 },
  ];
  const replicas = [1, 2].map(() => createMetrics({ service: "jobs", defaults: false }));
  for (const metrics of replicas) {
    await createQueueGauges(metrics, { depths } as unknown as Queues, clock)();
    clock.advance(400);
  }
  for (const metrics of replicas) {
    const page = await metrics.registry.metrics();
    expect(page).toContain('orrery_queue_oldest_seconds{queue="media",service="jobs"} 10.8\n');
    expect(page).toContain('orrery_queue_oldest_seconds{queue="idle",service="jobs"} 0\n');
  }
});

test("a replica that cannot read the queues any more lets the wait grow for half a minute", async () => {
  const clock = new ManualClock();
  const metrics = createMetrics({ service: "jobs", defaults: false });
  const depths = async () => [{ queue: "media", status: "QUEUED", jobs: 3, oldestWaitSeconds: 10 }];
  await createQueueGauges(metrics, { depths } as unknown as Queues, clock)();
  clock.advance(3_600_000);
  const page = await metrics.registry.metrics();
  expect(page).toContain('orrery_queue_oldest_seconds{queue="media",service="jobs"} 40\n');
});
