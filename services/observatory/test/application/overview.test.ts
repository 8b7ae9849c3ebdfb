import { create } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { QueueSchema } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { readEvent } from "../../src/adapters/events/event-reader.ts";
import type { FreshnessGauge } from "../../src/application/freshness.ts";
import { listAlerts } from "../../src/application/list-alerts.ts";
import { readMetrics } from "../../src/application/metrics-snapshot.ts";
import { failingRatio, readOverview } from "../../src/application/overview.ts";
import type { AskedFor, JobsPeer, ReadModel } from "../../src/application/ports.ts";
import { embeddedReadModel } from "../embedded-factory.ts";
import { alertText } from "../event-factory.ts";
import {
  missionProjectionOf,
  NOON_MS,
  projectionOf,
  searchedJob,
  searchedMission,
  uuidAt,
} from "../projection-factory.ts";

const ASKED: AskedFor = {
  onBehalf: { project: "demo", principal: "key-1", scopes: ["read"] },
  correlationId: "c-1",
  traceparent: "",
  signal: new AbortController().signal,
  timeoutMs: 1_000,
};
const READ = { project: "demo", consistencyToken: "", signal: ASKED.signal };
const queue = (name: string, oldestWaitSeconds: number) => create(QueueSchema, { name, oldestWaitSeconds });
const PEER: JobsPeer = {
  listQueues: () => Promise.resolve([queue("a", 1), queue("b", 8), queue("c", 8)]),
  listWorkers: () => Promise.resolve({ workers: [], totalSize: 1_200 }),
};
const AWAY: JobsPeer = {
  listQueues: () => Promise.reject(new Error("away")),
  listWorkers: () => Promise.reject(new Error("away")),
};
const FRESHNESS: FreshnessGauge = {
  read: () => ({ asOfMs: NOON_MS, lagMs: 12 }),
  measure: () => Promise.resolve(),
  run: () => Promise.resolve(),
};
const ended = (number: number, status: string) =>
  searchedJob(number, { status, startMs: NOON_MS, endMs: NOON_MS + 1_000 });
const JOBS = [
  ...Array.from({ length: 39 }, (_, number) => ended(number, "SUCCEEDED")),
  ended(40, "FAILED"),
  searchedJob(41, { status: "RUNNING", startMs: NOON_MS }),
];

test("the overview says in one sentence how the project stands", async () => {
  await using world = await embeddedReadModel();
  const clock = new ManualClock(NOON_MS + 30_000);
  const { readModel } = world;
  const read = readOverview({ readModel, peer: PEER, clock });
  expect((await read(READ, ASKED)).health).toBe("Ready: no job has been submitted yet");
  await readModel.apply(JOBS.map((job) => projectionOf(job)));
  const overview = await read(READ, ASKED);
  expect(overview.health).toBe("Healthy: 1 running, 2.5% failing, oldest wait 8 s");
  expect(overview.workers).toBe(1_200);
  expect(overview.queues.map(({ name }) => name)).toEqual(["b", "c", "a"]);
  expect([overview.totalJobs, overview.recentJobs.length, overview.complete]).toEqual([41, 20, true]);
});

test("the ratio is right where more jobs ended within the hour than are counted", async () => {
  const hour = { ended: 1_000_000, failed: 10_000 };
  // A million documents are more than a test should write: they end evenly over the hour.
  const count: ReadModel["count"] = ({ filter }, limit) => {
    const text = JSON.stringify(filter);
    const fromMs = Number(/"from":(\d+)/.exec(text)?.[1]);
    const share = (NOON_MS - fromMs) / 3_600_000;
    return Promise.resolve(
      Math.min(limit, Math.round(share * hour[text.includes("failed") ? "failed" : "ended"])),
    );
  };
  expect(await failingRatio({ count }, READ, NOON_MS)).toBeCloseTo(0.01, 3);
});

test("the overview tells of missions that need attention and of active alerts", async () => {
  await using world = await embeddedReadModel();
  const { readModel } = world;
  const stuck = searchedMission(50, { status: "NEEDS_ATTENTION" });
  const alert = (number: number, name: string, told: Record<string, unknown>) => {
    const id = uuidAt(NOON_MS, number);
    const reading = readEvent(alertText({ id, version: 1, name, timeMs: NOON_MS }, told));
    if (!("projection" in reading)) throw new Error(reading.deadLetter);
    return reading.projection;
  };
  await readModel.apply([
    ...[stuck, searchedMission(51)].map((mission) => missionProjectionOf(mission)),
    alert(60, "AlertFired", { severity: "WARNING" }),
    alert(61, "AlertFired", { severity: "CRITICAL" }),
    alert(62, "AlertResolved", { severity: "CRITICAL", status: "RESOLVED" }),
    alert(63, "AlertMuted", { severity: "WARNING", status: "MUTED" }),
  ]);
  const clock = new ManualClock(NOON_MS + 30_000);
  const overview = await readOverview({ readModel, peer: PEER, clock })(READ, ASKED);
  expect(overview.health).toBe(
    "Needs attention: 0 running, 0.0% failing, oldest wait 8 s, 1 mission in need of attention, 3 active alerts",
  );
  expect(Object.fromEntries(overview.missions)).toEqual({ NEEDS_ATTENTION: 1, RUNNING: 1 });
  expect(overview.attentionMissions.map(({ id }) => id)).toEqual([stuck.id]);
  expect(overview.alerts.map(({ id }) => id)).toEqual([61, 63, 60].map((number) => uuidAt(NOON_MS, number)));
  const all = await listAlerts({ readModel, clock })({ ...READ, includeResolved: true, pageSize: 2 });
  expect(all.map(({ id }) => id)).toEqual([62, 61].map((number) => uuidAt(NOON_MS, number)));
});

test("without the jobs service the overview still answers, and says that it is not complete", async () => {
  await using world = await embeddedReadModel();
  await world.readModel.apply(JOBS.map((job) => projectionOf(job)));
  const clock = new ManualClock(NOON_MS + 30_000);
  const overview = await readOverview({ readModel: world.readModel, peer: AWAY, clock })(READ, ASKED);
  expect(overview.complete).toBe(false);
  expect(overview.totalJobs).toBe(41);
  expect(overview.health).toContain("the jobs service does not answer");
});

test("everything that the overview and the figures ask of the store is given up with them", async () => {
  await using world = await embeddedReadModel();
  const clock = new ManualClock(NOON_MS + 30_000);
  const asked: (AbortSignal | undefined)[] = [];
  const readModel: ReadModel = {
    ...world.readModel,
    search(search) {
      asked.push(search.signal);
      return world.readModel.search(search);
    },
    count(search, atMost) {
      asked.push(search.signal);
      return world.readModel.count(search, atMost);
    },
    summary(project, signal) {
      asked.push(signal);
      return world.readModel.summary(project, signal);
    },
  };
  await readOverview({ readModel, peer: PEER, clock })(READ, ASKED);
  await readMetrics({ readModel, freshness: FRESHNESS, clock })(READ);
  await listAlerts({ readModel, clock })({ ...READ, includeResolved: true, pageSize: 0 });
  expect(asked).toEqual(Array.from({ length: 12 }, () => READ.signal));
});

test("the figures are always the same ones in the same order", async () => {
  await using world = await embeddedReadModel();
  const clock = new ManualClock(NOON_MS + 30_000);
  const read = readMetrics({ readModel: world.readModel, freshness: FRESHNESS, clock });
  const before = await read(READ);
  await world.readModel.apply(JOBS.map((job) => projectionOf(job)));
  const after = await read(READ);
  expect(after.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
  expect(Object.fromEntries(after.map(({ name, value }) => [name, value]))).toMatchObject({
    jobs_finished_last_minute: 40,
    jobs_failed_last_minute: 1,
    failing_ratio_last_hour: 0.025,
    jobs_running: 1,
    projection_lag: 12,
  });
});
