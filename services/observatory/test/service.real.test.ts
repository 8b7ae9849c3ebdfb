import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "@jest/globals";
import { Job_Status } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import { Mission_Status } from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { eventually } from "@orrery/mesh/testing/eventually";
import { testElasticsearch } from "@orrery/mesh/testing/test-elasticsearch";
import { systemClock } from "@orrery/mesh/time/clock";
import { callHeaders } from "@orrery/mesh/transport/route";
import { alertText, eventText, missionText } from "./event-factory.ts";
import { uuidAt } from "./projection-factory.ts";
import { startService, type TestService } from "./service-factory.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const asked = (project = "demo", signal?: AbortSignal) => ({
  headers: callHeaders({
    onBehalf: { project, principal: "key-1", scopes: ["read"] },
    correlationId: "c-1",
    traceparent: TRACEPARENT,
  }),
  ...(signal === undefined ? {} : { signal }),
});

function lifeOf(number: number) {
  const timeMs = systemClock.nowMs();
  const id = uuidAt(timeMs, number);
  const event = (version: number, name: string, job: Record<string, unknown>, attempt?: unknown) =>
    eventText({ id, version, name, timeMs: timeMs + version }, job, { attempt });
  const started = new Date(timeMs + 2).toISOString();
  return {
    id,
    events: [
      event(1, "JobQueued", { input: { n: number } }),
      event(
        2,
        "JobStarted",
        { status: "RUNNING", attempt: 1, startTime: started },
        { attempt: 1, status: "RUNNING", worker: "w-1", startTime: started },
      ),
      event(
        3,
        "JobSucceeded",
        { status: "SUCCEEDED", attempt: 1, startTime: started, endTime: started, output: number },
        { attempt: 1, status: "SUCCEEDED", worker: "w-1", startTime: started, endTime: started },
      ),
    ],
  };
}

/** The job at a version; a store that is only just being made may need longer than a read waits. */
function projected(service: TestService, id: string, minVersion: number) {
  return eventually(async () => (await service.client.getJob({ id, minVersion }, asked())).job, {
    withinMs: 30_000,
  });
}

const tokenOf = (id: string, version: number) => Buffer.from(`${id}:${version}`).toString("base64url");

/** What becomes of all reads of the read model that are given a token: the reasons of refusals, or "answered". */
async function outcomesOf(
  { client }: TestService,
  about: { readonly job: string; readonly mission: string },
  consistencyToken: string,
): Promise<ReadonlySet<string>> {
  const read = { consistencyToken };
  const ofJob = { consistencyToken, id: about.job };
  const ofMission = { consistencyToken, id: about.mission };
  const answers: readonly Promise<unknown>[] = [
    client.getOverview(read, asked()),
    client.getMetrics(read, asked()),
    client.listJobs(read, asked()),
    client.getJob(ofJob, asked()),
    client.listJobAttempts(ofJob, asked()),
    client.listJobEvents(ofJob, asked()),
    client.getJobTrace(ofJob, asked()),
    client.listMissions(read, asked()),
    client.getMission(ofMission, asked()),
    client.listMissionEvents(ofMission, asked()),
    client.getMissionTrace(ofMission, asked()),
    client.listEvents(read, asked()),
    client.listAlerts(read, asked()),
  ];
  const outcomes = answers.map((answer) =>
    answer.then(
      () => "answered",
      (error: unknown) => faultFrom(error).reason,
    ),
  );
  return new Set(await Promise.all(outcomes));
}

function elasticsearch(): Record<string, string> {
  const { url, prefix } = testElasticsearch("service");
  return {
    ORRERY_READ_MODEL: "elasticsearch",
    ORRERY_ELASTICSEARCH_URL: url,
    ORRERY_ELASTICSEARCH_PREFIX: `${prefix}x`,
  };
}

describe("the observatory as a process", () => {
  test.each([
    ["embedded", () => ({})],
    ["elasticsearch", elasticsearch],
  ])(
    "what is published is listed, read, searched and shown as events: %s",
    async (name, settings) => {
      await using service = await startService(["default"], settings());
      await eventually(
        async () => expect((await service.client.getOverview({}, asked())).readModel).toBe(name),
        { withinMs: 90_000, everyMs: 500 },
      );
      const { id, events } = lifeOf(1);
      await service.publish(...events);
      const job = await projected(service, id, 3);
      expect(job).toMatchObject({ id, status: Job_Status.SUCCEEDED, version: 3 });
      expect(job?.input?.kind.case).toBe("structValue");
      expect(job?.output?.kind).toEqual({ case: "numberValue", value: 1 });

      const { client } = service;
      const list = await client.listJobs({ q: `status:succeeded id:${id}` }, asked());
      expect(list).toMatchObject({ totalSize: 1, totalExact: true, complete: true, nextPageToken: "" });
      expect(list.jobs.map((found) => [found.id, found.input, found.output])).toEqual([
        [id, undefined, undefined],
      ]);
      const { attempts } = await client.listJobAttempts({ id }, asked());
      expect(attempts.map(({ attempt, worker }) => [attempt, worker])).toEqual([[1, "w-1"]]);
      const history = await client.listJobEvents({ id, pageSize: 2 }, asked());
      expect(history.events.map((event) => event.aggregateVersion)).toEqual([1, 2]);
      const found = await client.listEvents({ q: "event:JobStarted" }, asked());
      expect(found.events.map((event) => event.eventType)).toEqual(["orrery.events.v1.jobs.JobStarted"]);
      await eventually(async () => {
        const { lagMs } = await client.listJobs({}, asked());
        expect(lagMs).toBeLessThan(2_000);
      });
      expect((await client.getMetrics({}, asked())).figures.length).toBeGreaterThan(5);
      expect((await client.listAlerts({}, asked())).alerts).toEqual([]);
    },
    120_000,
  );

  test.each([
    ["embedded", () => ({})],
    ["elasticsearch", elasticsearch],
  ])(
    "missions and alerts are listed and read, and the gap of a job is waited for: %s",
    async (_name, settings) => {
      await using service = await startService([], settings());
      const { client } = service;
      await eventually(async () => client.getOverview({}, asked()), { withinMs: 90_000, everyMs: 500 });
      const timeMs = systemClock.nowMs();
      const [missionId, alertId] = [uuidAt(timeMs, 20), uuidAt(timeMs, 21)];
      const mission = (version: number, name: string, told: Record<string, unknown>) =>
        missionText({ id: missionId, version, name, timeMs: timeMs + version }, told, "reserve");
      await service.publish(
        mission(2, "MissionNeedsAttention", { status: "NEEDS_ATTENTION" }),
        alertText({ id: alertId, version: 1, name: "AlertFired", timeMs }, { severity: "CRITICAL" }),
      );
      await eventually(async () => {
        expect((await client.getOverview({}, asked())).missions).toEqual({ NEEDS_ATTENTION: 1 });
      });
      const early = await client.getMission({ id: missionId, minVersion: 2 }, asked()).catch(faultFrom);
      expect(early).toMatchObject({ reason: "PROJECTION_BEHIND" });
      const waiting = client.getMission({ id: missionId, minVersion: 2 }, asked());
      await service.publish(mission(1, "MissionCreated", { input: { to: "Ulm" } }));
      const read = await waiting;
      expect([read.complete, read.mission?.status]).toEqual([true, Mission_Status.NEEDS_ATTENTION]);
      expect(read.mission?.input?.kind.case).toBe("structValue");
      const list = await client.listMissions({ q: "step:reserve status:needs*" }, asked());
      expect(list.missions.map(({ id, input }) => [id, input])).toEqual([[missionId, undefined]]);
      const { events } = await client.listMissionEvents({ id: missionId }, asked());
      expect(events.map(({ aggregateVersion }) => aggregateVersion)).toEqual([1, 2]);

      await eventually(async () => expect((await client.listAlerts({}, asked())).alerts).toHaveLength(1));
      const overview = await client.getOverview({}, asked("second"));
      expect(overview.alerts.map(({ id }) => id)).toEqual([alertId]);
      expect(overview.missions).toEqual({});
      await service.publish(
        alertText({ id: alertId, version: 2, name: "AlertResolved", timeMs }, { status: "RESOLVED" }),
      );
      await eventually(async () => expect((await client.listAlerts({}, asked())).alerts).toEqual([]));
      expect((await client.listAlerts({ includeResolved: true }, asked())).alerts).toHaveLength(1);
      await expect(client.getMission({ id: missionId }, asked("second"))).rejects.toMatchObject({
        code: Code.NotFound,
      });
    },
    120_000,
  );

  test.each([
    ["embedded", () => ({})],
    ["elasticsearch", elasticsearch],
  ])(
    "every read comes after the write that its consistency token names: %s",
    async (_name, settings) => {
      await using service = await startService(["default"], settings());
      const { client } = service;
      await eventually(async () => client.getOverview({}, asked()), { withinMs: 90_000, everyMs: 500 });
      const timeMs = systemClock.nowMs();
      const [first, second, mission] = [lifeOf(40), lifeOf(41), uuidAt(timeMs, 42)];
      const launched = missionText({ id: mission, version: 1, name: "MissionCreated", timeMs });
      await service.publish(...first.events, launched);
      await projected(service, first.id, 3);
      await eventually(() => client.getMission({ id: mission, minVersion: 1 }, asked()));
      const waiting = {
        reads: outcomesOf(service, { job: second.id, mission }, tokenOf(second.id, 3)),
        attempts: client.listJobAttempts({ id: second.id, consistencyToken: tokenOf(second.id, 3) }, asked()),
        events: client.listEvents({ q: second.id, consistencyToken: tokenOf(second.id, 3) }, asked()),
      };
      await service.publish(...second.events);
      expect((await waiting.attempts).attempts.map(({ worker }) => worker)).toEqual(["w-1"]);
      expect((await waiting.events).events.map((event) => event.aggregateVersion)).toContain(3);
      expect([...(await waiting.reads)]).toEqual(["answered"]);

      const about = { job: first.id, mission };
      const ahead = tokenOf(first.id, 4);
      expect([...(await outcomesOf(service, about, ahead))]).toEqual(["PROJECTION_BEHIND"]);
      expect([...(await outcomesOf(service, about, "not a token"))]).toEqual(["INVALID_REQUEST"]);
      // Queues and workers are not of the read model: whoever answers for them has every write.
      expect((await client.listQueues({ consistencyToken: ahead }, asked())).queues).toHaveLength(1);
      for (const list of [client.listQueues, client.listWorkers]) {
        const refused = list({ consistencyToken: "not a token" }, asked());
        expect(await refused.catch(faultFrom)).toMatchObject({ reason: "INVALID_REQUEST" });
      }
    },
    120_000,
  );

  test("a watch that was there before the first mission gets its events", async () => {
    await using service = await startService([]);
    const stop = new AbortController();
    const seen: string[] = [];
    const admitted = Promise.withResolvers<void>();
    const options = { ...asked("demo", stop.signal), onHeader: () => admitted.resolve() };
    const follow = async () => {
      for await (const { event } of service.client.watchEvents({ q: "name:book*" }, options))
        seen.push(event);
    };
    const followed = follow().catch(() => undefined);
    await admitted.promise;
    const timeMs = systemClock.nowMs();
    const about = { id: uuidAt(timeMs, 30), timeMs };
    await service.publish(missionText({ ...about, version: 1, name: "MissionCreated" }));
    await eventually(() => expect(seen).toEqual(["MissionCreated"]), { withinMs: 15_000 });
    await service.publish(missionText({ ...about, version: 2, name: "MissionStarted" }));
    await eventually(() => expect(seen).toEqual(["MissionCreated", "MissionStarted"]));
    stop.abort();
    await followed;
  });

  test("another project sees nothing, and a caller without a project is refused", async () => {
    await using service = await startService([]);
    const { id, events } = lifeOf(2);
    await service.publish(...events);
    await projected(service, id, 3);
    expect((await service.client.listJobs({}, asked("second"))).totalSize).toBe(0);
    await expect(service.client.getJob({ id }, asked("second"))).rejects.toMatchObject({
      code: Code.NotFound,
    });
    await expect(service.client.listJobs({})).rejects.toMatchObject({ code: Code.PermissionDenied });
  });

  test("a query that cannot be read is INVALID_QUERY, on a list and on a watch", async () => {
    await using service = await startService([]);
    const refused = await service.client
      .listJobs({ q: "statsu:x" }, asked())
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ConnectError);
    expect(faultFrom(refused)).toMatchObject({ reason: "INVALID_QUERY" });
    const watch = service.client.watchEvents({ q: "is:stuck" }, asked());
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: Code.InvalidArgument });
  });

  test("a watch gets events live, and a resume after kill -9 leaves none out", async () => {
    await using service = await startService([]);
    const stop = new AbortController();
    const seen: string[] = [];
    // Resolves once the service has admitted the watch; what is published from then on is in it.
    const watch = async (lastEventId: string) => {
      const admitted = Promise.withResolvers<void>();
      const options = { ...asked("demo", stop.signal), onHeader: () => admitted.resolve() };
      const follow = async () => {
        for await (const { id, event } of service.client.watchEvents({ lastEventId }, options)) {
          if (event !== "reset") seen.push(id);
        }
      };
      const followed = follow().catch(() => undefined);
      await admitted.promise;
      return { followed };
    };
    const idsOf = (events: readonly string[]) =>
      events.map((event) => (JSON.parse(event) as { eventId: string }).eventId);
    const first = lifeOf(3);
    const watching = await watch("");
    await service.publish(...first.events);
    await eventually(() => expect(seen).toEqual(idsOf(first.events)));
    await service.killAndStart();
    await watching.followed;
    const missed = lifeOf(4);
    await service.publish(...missed.events);
    const resumed = await watch(seen.at(-1) ?? "");
    await eventually(() => expect(seen).toEqual(expect.arrayContaining(idsOf(missed.events))));
    stop.abort();
    await resumed.followed;
  });

  test("while the broker is away it is ready, serves what it holds and does not say that it is new", async () => {
    await using service = await startService([]);
    const { id, events } = lifeOf(6);
    await service.publish(...events);
    await projected(service, id, 3);
    await service.stopBroker();
    await service.killAndStart();
    await eventually(async () => expect(await service.readiness()).toBe(200), { withinMs: 15_000 });
    const list = await service.client.listJobs({}, asked());
    expect(list.jobs.map((job) => job.id)).toEqual([id]);
    // Up to when it holds everything nobody can tell it: since the epoch, as far as it knows.
    expect(list.asOf).toEqual(timestampFromMs(0));
    expect(list.lagMs).toBeGreaterThan(1_000_000_000);
  });

  test("the overview is complete with the jobs service and answers without it", async () => {
    await using service = await startService(["default", "bulk"]);
    const { id, events } = lifeOf(5);
    await service.publish(...events);
    await projected(service, id, 3);
    const overview = await service.client.getOverview({}, asked());
    expect(overview).toMatchObject({
      project: "demo",
      readModel: "embedded",
      totalJobs: 1,
      jobs: { SUCCEEDED: 1 },
    });
    expect(overview.queues.map(({ name }) => name)).toEqual(["bulk", "default"]);
    expect((await service.client.listQueues({}, asked())).queues).toHaveLength(2);
    await service.stopJobs();
    const alone = await service.client.getOverview({}, asked());
    expect(alone).toMatchObject({ complete: false, totalJobs: 1, queues: [] });
    await expect(service.client.listQueues({}, asked())).rejects.toMatchObject({ code: Code.Unavailable });
  });
});
