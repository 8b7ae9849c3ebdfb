import { fromJson, fromJsonString, type JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import * as missionEvents from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_events_pb.js";
import {
  Mission_Status,
  MissionStep_Status,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import { ResolveMissionRequest_Outcome } from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { eventually } from "@orrery/mesh/testing/eventually";
import { valueFrom } from "@orrery/mesh/transport/json-value";
import { as, startWorld, type World } from "./service-factory.ts";

let world: World;
beforeAll(async () => {
  world = await startWorld();
}, 60_000);
afterAll(async () => world[Symbol.asyncDispose]());

const step = (name: string, task: string, more: object = {}) => ({
  name,
  task,
  undo: { task: `undo.${task}` },
  ...more,
});
const refusal = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "none",
    (failure: unknown) => faultFrom(failure).reason,
  );

/** All events of one mission in its stream, in order. */
async function published(id: string): Promise<{ name: string; version: number; envelope: string }[]> {
  const manager = await (await world.nats.connect()).jetstreamManager();
  const { state } = await manager.streams.info("ORRERY_ORCHESTRATOR");
  const found: { name: string; version: number; envelope: string }[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await manager.streams.getMessage("ORRERY_ORCHESTRATOR", { seq });
    const [of, version] = (message.header.get("Nats-Msg-Id") ?? "").split(":");
    if (of !== id) continue;
    found.push({
      name: message.subject.split(".")[4] ?? "",
      version: Number(version),
      envelope: message.string(),
    });
  }
  return found;
}

describe("a mission", () => {
  test("goes through its jobs to its end, with every step in the stream in the words of the contract", async () => {
    const input = valueFrom('{"who":"ann"}');
    const id = await world.launch({
      name: "whole",
      input,
      steps: [step("a", "whole.a"), step("b", "whole.b")],
    });
    const a = await world.ends("whole.a", "SUCCEEDED", { output: '{"n":1}' });
    expect(a).toMatchObject({ project: "demo", missionId: id, step: "a", queue: "default" });
    expect(a.input).toEqual(input);
    expect(world.jobs.callers.get(a.id)).toMatchObject({
      project: "demo",
      principal: "ann",
      correlationId: "c-1",
    });
    await world.ends("whole.b", "SUCCEEDED", { output: "2" });
    const mission = await world.reaches(id, "SUCCEEDED");
    expect(mission).toMatchObject({ version: 7, name: "whole" });
    const events = await eventually(async () => {
      const all = await published(id);
      expect(all).toHaveLength(7);
      return all;
    });
    expect(events.map(({ name }) => name)).toEqual([
      ...["MissionCreated", "MissionStarted", "MissionStepStarted", "MissionStepSucceeded"],
      ...["MissionStepStarted", "MissionStepSucceeded", "MissionSucceeded"],
    ]);
    events.forEach(({ name, version, envelope }, index) => {
      const read = fromJsonString(EventEnvelopeSchema, envelope);
      expect([version, read.aggregateVersion, read.projectId]).toEqual([index + 1, index + 1, "demo"]);
      const schema = missionEvents.file_orrery_orchestrator_v1_mission_events.messages.find(
        (message) => message.name === name,
      );
      const { payload } = JSON.parse(envelope) as { payload: JsonObject };
      // What the contract does not know would be refused here.
      if (schema !== undefined) expect(fromJson(schema, payload)).toHaveProperty("mission.id", id);
      expect((payload.mission as JsonObject).input).toEqual(index === 0 ? { who: "ann" } : undefined);
    });
  });

  test("is undone in reverse order when a step fails, each undo once", async () => {
    const steps = [step("a", "undone.a"), step("b", "undone.b"), step("c", "undone.c")];
    const id = await world.launch({ name: "undone", steps });
    await world.ends("undone.a", "SUCCEEDED", { output: '"A"' });
    await world.ends("undone.b", "SUCCEEDED", { output: '"B"' });
    await world.ends("undone.c", "FAILED", { errorType: "BROKEN" });
    const undo = await world.ends("undo.undone.b", "SUCCEEDED");
    expect(undo.input).toEqual(
      valueFrom(JSON.stringify({ idempotencyKey: world.jobs.job("undone.b").id, output: "B" })),
    );
    expect(() => world.jobs.job("undo.undone.a")).toThrow("no job");
    await world.ends("undo.undone.a", "SUCCEEDED");
    const mission = await world.reaches(id, "COMPENSATED");
    expect(mission.error).toMatchObject({ type: "BROKEN", step: "c" });
    expect(mission.steps.map(({ status }) => MissionStep_Status[status])).toEqual([
      "UNDONE",
      "UNDONE",
      "FAILED",
    ]);
  });

  test("asks about a job that ended in silence, and about an output that no event can take", async () => {
    const id = await world.launch({
      name: "silent",
      steps: [
        step("a", "silent.a"),
        step("b", "silent.b", { input: valueFrom('{"$from":"steps.a.output"}') }),
      ],
    });
    world.jobs.end(await world.comes("silent.a"), "SUCCEEDED", { output: '"only here"' });
    await eventually(async () => {
      await world.timePasses();
      world.jobs.job("silent.b");
    });
    const b = await world.comes("silent.b");
    expect(b.input).toEqual(valueFrom('"only here"'));
    await world.tell(world.jobs.end(b, "SUCCEEDED", { output: '"large"' }), { mute: true });
    await world.reaches(id, "SUCCEEDED");
  });

  test.each([
    ["the only attempt was lost", [{ status: "LOST" as const }]],
    ["the only attempt timed out", [{ status: "FAILED" as const, errorType: "TIMEOUT" }]],
    ["an earlier attempt was lost", [{ status: "LOST" as const }, { status: "FAILED" as const }]],
  ])("needs attention where %s, for nobody knows", async (_, attempts) => {
    const id = await world.launch({ name: "unknown", steps: [step("a", "unknown.a")] });
    await world.ends("unknown.a", "FAILED", { errorType: "BROKEN", attempts });
    const mission = await world.reaches(id, "NEEDS_ATTENTION");
    expect(mission).toMatchObject({ error: { type: "STEP_UNKNOWN", step: "a" } });
    world.jobs.jobs.clear();
  });

  test("whose attempts all said that they failed is known not to be done", async () => {
    const id = await world.launch({ name: "known", steps: [step("a", "known.a")] });
    const attempts = [{ status: "FAILED" as const }, { status: "FAILED" as const }];
    await world.ends("known.a", "FAILED", { errorType: "BROKEN", attempts });
    await world.reaches(id, "FAILED");
  });

  test("fails a step whose job is refused for good, and waits with one that is refused for now", async () => {
    world.jobs.refused.set("refused.a", "INVALID_REQUEST").set("busy.a", "OVERLOADED");
    const refused = await world.launch({ name: "refused", steps: [step("a", "refused.a")] });
    const busy = await world.launch({ name: "busy", steps: [step("a", "busy.a")] });
    expect(await world.reaches(refused, "FAILED")).toMatchObject({
      error: { type: "JOB_REFUSED", step: "a" },
    });
    world.jobs.refused.clear();
    await world.ends("busy.a", "SUCCEEDED");
    await world.reaches(busy, "SUCCEEDED");
  });

  test("waits out a jobs service that is away, and submits under the same id until it is taken", async () => {
    await world.stopJobs();
    const id = await world.launch({ name: "away", steps: [step("a", "away.a")] });
    await world.reaches(id, "RUNNING");
    await world.startJobs();
    const job = await world.ends("away.a", "SUCCEEDED");
    const mission = await world.reaches(id, "SUCCEEDED");
    expect(mission.steps[0]?.jobId).toBe(job.id);
  });

  test("takes an end in once, however often it is told, and none of a job that is retried", async () => {
    const id = await world.launch({ name: "again", steps: [step("a", "again.a")] });
    const lost = await world.ends("again.a", "FAILED", { attempts: [{ status: "LOST" }] });
    await world.reaches(id, "NEEDS_ATTENTION");
    const { version } = lost;
    const told = { ...lost };
    const { mission } = await world.client.retryMission({ id, reason: "again" }, as());
    expect(mission?.status).toBe(Mission_Status.RUNNING);
    await eventually(() => Promise.resolve(expect(world.jobs.retried.at(-1)?.id).toBe(lost.id)));
    expect(world.jobs.retried.at(-1)?.key).toBe(`retry:${lost.id}:${version}`);
    await world.tell(told);
    const done = world.jobs.end(lost, "SUCCEEDED", {
      output: "1",
      attempts: [{ status: "LOST" }, { status: "SUCCEEDED" }],
    });
    await world.tell(done);
    await world.tell(done);
    expect(await world.reaches(id, "SUCCEEDED")).toMatchObject({ version: (mission?.version ?? 0) + 2 });
  });
});

describe("a cancellation", () => {
  test("cancels the job that runs, and is on record with who asked and why", async () => {
    const id = await world.launch({ name: "cancelled", steps: [step("a", "cancelled.a")] });
    const job = await world.comes("cancelled.a");
    const { mission } = await world.client.cancelMission({ id, reason: "enough" }, as("demo", "bob"));
    expect(mission?.status).toBe(Mission_Status.COMPENSATING);
    await eventually(() => Promise.resolve(expect(world.jobs.cancelled).toContain(job.id)));
    await world.tell(world.jobs.end(job, "CANCELLED"));
    await world.reaches(id, "CANCELLED");
    expect(await auditOf(id)).toEqual([
      { action: "CANCEL", step: "", outcome: "", principal: "bob", note: "enough" },
    ]);
    const again = await world.client.cancelMission({ id }, as());
    expect(again.mission?.status).toBe(Mission_Status.CANCELLED);
  });
});

async function auditOf(id: string) {
  const text = "select action, step, outcome, principal, note from mission_audit where mission_id = $1";
  return world.pool().query({ name: "test.audit", text }, [id]);
}

describe("a resolution", () => {
  test("is on record, in the event too, and the mission goes on as it says", async () => {
    const id = await world.launch({
      name: "resolved",
      steps: [step("a", "resolved.a"), step("b", "resolved.b")],
    });
    await world.ends("resolved.a", "FAILED", { attempts: [{ status: "LOST" }] });
    await world.reaches(id, "NEEDS_ATTENTION");
    const asked = { id, step: "a", outcome: ResolveMissionRequest_Outcome.DONE, note: "saw it" };
    expect(await refusal(world.client.resolveMission({ ...asked, step: "b" }, as()))).toBe(
      "MISSION_NOT_RESOLVABLE",
    );
    await world.client.resolveMission(asked, as("demo", "eve"));
    await world.ends("resolved.b", "SUCCEEDED");
    await world.reaches(id, "SUCCEEDED");
    const [entry] = await auditOf(id);
    expect(entry).toEqual({
      action: "RESOLVE",
      step: "a",
      outcome: "DONE",
      principal: "eve",
      note: "saw it",
    });
    const event = (await published(id)).find(({ name }) => name === "MissionResolved");
    expect(JSON.parse(event?.envelope ?? "{}")).toMatchObject({
      payload: { step: "a", principal: "eve", note: "saw it", outcome: "DONE" },
    });
  });
});

describe("the same request again", () => {
  test("under its key is the same mission, and another under that key is refused", async () => {
    const input = valueFrom("[1]");
    const asked = { name: "keyed", idempotencyKey: "key-1", input, steps: [step("a", "keyed.a")] };
    const first = await world.client.createMission(asked, as());
    const second = await world.client.createMission(asked, as());
    expect([first.replayed, second.replayed, second.mission?.id]).toEqual([false, true, first.mission?.id]);
    expect(second.mission?.input).toEqual(input);
    expect(await refusal(world.client.createMission({ ...asked, name: "other" }, as()))).toBe(
      "IDEMPOTENCY_KEY_REUSED",
    );
    const elsewhere = await world.client.createMission(asked, as("second"));
    expect(elsewhere.mission?.id).not.toBe(first.mission?.id);
  });
});

describe("a list", () => {
  test("goes through all missions of the project, the newest first, and of no other", async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) {
      const { mission } = await world.client.createMission(
        { name: `l${index}`, steps: [step("a", "list.a")] },
        as("lists"),
      );
      ids.unshift(mission?.id ?? "");
    }
    const found: string[] = [];
    for (let pageToken = "", pages = 0; pages === 0 || pageToken !== ""; pages += 1) {
      const page = await world.client.listMissions({ pageSize: 2, pageToken }, as("lists"));
      found.push(...page.missions.map(({ id }) => id));
      pageToken = page.nextPageToken;
    }
    expect(found).toEqual(ids);
    const succeeded = await world.client.listMissions({ status: Mission_Status.SUCCEEDED }, as("lists"));
    expect(succeeded.missions).toEqual([]);
  });

  test("refuses a token of another list", async () => {
    const { nextPageToken } = await world.client.listMissions({ pageSize: 1 }, as("lists"));
    const asked = { pageSize: 1, pageToken: nextPageToken };
    expect(await refusal(world.client.listMissions(asked, as()))).toBe("INVALID_PAGE_TOKEN");
    const filtered = { ...asked, status: Mission_Status.FAILED };
    expect(await refusal(world.client.listMissions(filtered, as("lists")))).toBe("INVALID_PAGE_TOKEN");
    expect(await refusal(world.client.listMissions({ pageToken: "?" }, as()))).toBe("INVALID_PAGE_TOKEN");
  });
});

describe("a watch", () => {
  const watched = async (id: string, lastEventId: string): Promise<string[]> => {
    const frames: string[] = [];
    for await (const { event, id: at } of world.client.watchMission({ id, lastEventId }, as()))
      frames.push(`${at} ${event}`);
    return frames;
  };

  test("begins with a snapshot, leaves nothing out, ends with the mission, and goes on where it was left", async () => {
    const id = await world.launch({ name: "watched", steps: [step("a", "watched.a")] });
    await world.comes("watched.a");
    const watching = watched(id, "");
    await world.ends("watched.a", "SUCCEEDED");
    await world.reaches(id, "SUCCEEDED");
    const frames = await watching;
    expect([frames[0]?.split(" ")[1], ...frames.slice(-2)]).toEqual([
      "snapshot",
      "4 MissionStepSucceeded",
      "5 MissionSucceeded",
    ]);
    expect(await watched(id, "3")).toEqual(["4 MissionStepSucceeded", "5 MissionSucceeded"]);
    expect(await watched(id, "5")).toEqual([]);
    expect(await watched(id, "99")).toEqual(["99 reset", "5 snapshot"]);
  });
});

describe("nobody else", () => {
  test("reads or changes a mission of another project", async () => {
    const id = await world.launch({ name: "mine", steps: [step("a", "mine.a")] });
    const calls = [
      world.client.getMission({ id }, as("second")),
      world.client.cancelMission({ id }, as("second")),
      world.client.retryMission({ id }, as("second")),
      world.client.resolveMission(
        { id, step: "a", outcome: ResolveMissionRequest_Outcome.DONE, note: "n" },
        as("second"),
      ),
    ];
    expect(await Promise.all(calls.map(refusal))).toEqual([
      "NOT_FOUND",
      "NOT_FOUND",
      "NOT_FOUND",
      "NOT_FOUND",
    ]);
  });

  test("than the gateway may ask for missions", async () => {
    const worker = await world.clientOf("worker");
    expect(await refusal(worker.getMission({ id: "01a1fd6c-2a40-7000-8000-0000000000aa" }, as()))).toBe(
      "CALLER_NOT_ALLOWED",
    );
  });
});

test("missions are counted: those that began and ended by this process, those open by the database", async () => {
  const { registry } = world.metrics;
  await eventually(async () => {
    const text = await registry.metrics();
    expect(text).toMatch(/orrery_missions_started_total\{service="orchestrator"\} [1-9]/);
    expect(text).toMatch(/orrery_missions_finished_total\{status="COMPENSATED",service="orchestrator"\} 1/);
    expect(text).toMatch(/orrery_missions_open\{status="NEEDS_ATTENTION",service="orchestrator"\} 3/);
    expect(text).toMatch(/orrery_missions_needing_attention\{service="orchestrator"\} 3/);
    expect(text).toMatch(/orrery_mission_duration_seconds_count\{service="orchestrator"\} [1-9]/);
  });
});
