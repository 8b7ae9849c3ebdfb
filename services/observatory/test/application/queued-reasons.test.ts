import { create } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { QueueSchema } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { WorkerSchema } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import type { AskedFor, JobsPeer } from "../../src/application/ports.ts";
import { createQueuedReasons } from "../../src/application/queued-reasons.ts";

const askedFor = (project: string): AskedFor => ({
  onBehalf: { project, principal: "key-1", scopes: ["read"] },
  correlationId: "c-1",
  traceparent: "",
  signal: new AbortController().signal,
  timeoutMs: 1_500,
});
const JOB = { task: "send", queue: "mail", concurrencyKey: "" };
const WORKERS = [create(WorkerSchema, { worker: "w", tasks: ["send"] })];

function jobsService(totalSize = 1) {
  const asked: AskedFor[] = [];
  const peer: JobsPeer = {
    listQueues: (who) => {
      asked.push(who);
      const paused = who.onBehalf.project === "held";
      return Promise.resolve([create(QueueSchema, { name: "mail", paused, depth: { RUNNING: 2 } })]);
    },
    listWorkers: () => Promise.resolve({ workers: WORKERS, totalSize }),
  };
  return { asked, peer };
}

test("the jobs service is asked once in a second for a project, however many lists are read", async () => {
  const { asked, peer } = jobsService();
  const clock = new ManualClock();
  const reasons = createQueuedReasons({ peer, clock });
  const reasonOf = async (project: string) => (await reasons.of([JOB], askedFor(project)))[0]?.reason;
  expect(await Promise.all(["demo", "demo", "held"].map(reasonOf))).toEqual([
    "WAITING_FOR_SLOT",
    "WAITING_FOR_SLOT",
    "QUEUE_PAUSED",
  ]);
  expect(asked).toHaveLength(2);
  clock.advance(1_000);
  await reasonOf("demo");
  expect(asked).toHaveLength(3);
  expect(asked[2]?.timeoutMs).toBe(500);
});

test.each([
  [1, "NO_WORKER"],
  [2, "WAITING_FOR_SLOT"],
])("of %d workers the one that is listed does not serve a job: %s", async (totalSize, reason) => {
  const { peer } = jobsService(totalSize);
  const reasons = createQueuedReasons({ peer, clock: new ManualClock() });
  expect(await reasons.of([{ ...JOB, task: "print" }], askedFor("demo"))).toMatchObject([{ reason }]);
});

test("nobody is asked where no job waits", async () => {
  const { asked, peer } = jobsService();
  const reasons = createQueuedReasons({ peer, clock: new ManualClock() });
  expect(await reasons.of([], askedFor("demo"))).toEqual([]);
  expect(asked).toEqual([]);
});

test("a list is answered without reasons while the jobs service is away", async () => {
  const away = () => Promise.reject(new Error("away"));
  const reasons = createQueuedReasons({
    peer: { listQueues: away, listWorkers: away },
    clock: new ManualClock(),
  });
  expect(await reasons.of([JOB, JOB], askedFor("demo"))).toEqual([undefined, undefined]);
});
