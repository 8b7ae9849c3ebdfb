import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Job_Status } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { uuidV7 } from "@orrery/mesh/time/clock";
import { type EngineWorld, engineWorld } from "./engine-world.ts";

let world: EngineWorld;
beforeAll(async () => {
  world = await engineWorld();
});
afterAll(async () => world[Symbol.asyncDispose]());

const MISSION = uuidV7();
const ORCHESTRATOR = { caller: "orchestrator" };
const caller = (project = "demo") => ({ project, principal: "ann", correlationId: "c", traceparent: "" });
const item = (
  jobId: string,
  more: { mission?: string; step?: string; project?: string; task?: string } = {},
) => ({
  caller: caller(more.project),
  job: { task: more.task ?? "step" },
  missionStep: { jobId, missionId: more.mission ?? MISSION, step: more.step ?? "a" },
});
const messageOf = (json: JsonObject): Value => fromJson(ValueSchema, json);
const submit = async (...items: ReturnType<typeof item>[]) => {
  const { outcomes } = await world.ask("submitJobs", { items }, { ...ORCHESTRATOR, project: undefined });
  return outcomes.map(({ result }) =>
    result.case === "job" ? result.value : Problem_Reason[result.case === "error" ? result.value.reason : 0],
  );
};

describe("the job of a mission's step", () => {
  test("has the id that its mission gave it, and belongs to the mission in its events too", async () => {
    const id = uuidV7();
    const [job] = await submit(item(id));
    expect(job).toMatchObject({
      id,
      missionId: MISSION,
      step: "a",
      project: "demo",
      status: Job_Status.QUEUED,
    });
    const { job: read } = await world.ask("getJob", { id });
    expect(read).toMatchObject({ id, missionId: MISSION, step: "a" });
    expect(await world.sequence(id)).toEqual(["Queued"]);
  });

  test("is one job, however often and however concurrently it is submitted, and also when it has ended", async () => {
    const id = uuidV7();
    const all = await Promise.all([submit(item(id), item(id)), submit(item(id)), submit(item(id))]);
    for (const job of all.flat()) expect(job).toMatchObject({ id });
    await world.ask("cancelJob", { id }, ORCHESTRATOR);
    const [ended] = await submit(item(id));
    expect(ended).toMatchObject({ id, status: Job_Status.CANCELLED });
    expect(await world.sequence(id)).toEqual(["Queued", "Cancelled"]);
  });

  test("is refused where its id is that of another step, mission or project, and its neighbours are not", async () => {
    const [id, neighbour] = [uuidV7(), uuidV7()];
    await submit(item(id));
    const outcomes = await submit(
      item(id, { step: "b" }),
      item(id, { mission: uuidV7() }),
      item(id, { project: "second" }),
      item(uuidV7(), { task: "" }),
      item(neighbour),
    );
    const reused = "IDEMPOTENCY_KEY_REUSED";
    expect(outcomes.slice(0, 4)).toEqual([reused, reused, reused, "INVALID_REQUEST"]);
    expect(outcomes[4]).toMatchObject({ id: neighbour });
  });

  test("takes what an undo is told: an input and an output, each as large and deep as it may be", async () => {
    const half = "x".repeat(190 * 1024);
    const told = (input: JsonObject) => ({
      ...item(uuidV7()),
      job: { task: "undo", input: messageOf(input) },
    });
    const [both, more] = await submit(
      told({ input: half, output: half }),
      told({ input: half, output: [half, half] }),
    );
    expect(both).toMatchObject({ status: Job_Status.QUEUED });
    expect(more).toBe("BODY_TOO_LARGE");
    const deep = JSON.parse(`${"[".repeat(32)}${"]".repeat(32)}`) as JsonObject[];
    const [deepest, deeper] = await submit(
      told({ input: deep, output: deep }),
      told({ input: [deep], output: deep }),
    );
    expect(deepest).toMatchObject({ status: Job_Status.QUEUED });
    expect(deeper).toBe("INVALID_REQUEST");
  });

  test("is submitted by the orchestrator alone, which submits nothing else", async () => {
    const items = [item(uuidV7())];
    await expect(world.ask("submitJobs", { items }, { project: undefined })).rejects.toMatchObject({
      reason: "CALLER_NOT_ALLOWED",
    });
    const plain = [{ caller: caller(), job: { task: "step" } }];
    const { outcomes } = await world.ask(
      "submitJobs",
      { items: plain },
      { ...ORCHESTRATOR, project: undefined },
    );
    expect(outcomes[0]?.result).toMatchObject({
      case: "error",
      value: { reason: Problem_Reason.CALLER_NOT_ALLOWED },
    });
  });
});

describe("the mission alone", () => {
  test("cancels and retries the jobs of its steps", async () => {
    const id = uuidV7();
    await submit(item(id));
    for (const rpc of ["cancelJob", "retryJob"] as const) {
      await expect(world.ask(rpc, { id })).rejects.toMatchObject({ reason: "JOB_OWNED_BY_MISSION" });
    }
    const { job } = await world.ask("cancelJob", { id }, ORCHESTRATOR);
    expect(job?.status).toBe(Job_Status.CANCELLED);
    const again = { id, idempotencyKey: "retry:1" };
    const { job: retried } = await world.ask("retryJob", again, ORCHESTRATOR);
    expect(retried?.status).toBe(Job_Status.QUEUED);
    expect((await world.ask("retryJob", again, ORCHESTRATOR)).replayed).toBe(true);
  });

  test("retries a job by a key of its own, which nobody of the project can have taken before", async () => {
    const id = uuidV7();
    await submit(item(id));
    await world.ask("cancelJob", { id }, ORCHESTRATOR);
    const { job } = await world.ask("submitJob", { task: "free" });
    await world.ask("cancelJob", { id: job?.id ?? "" });
    await world.ask("retryJob", { id: job?.id ?? "", idempotencyKey: `retry:${id}:2` });
    const { job: retried } = await world.ask(
      "retryJob",
      { id, idempotencyKey: `retry:${id}:2` },
      ORCHESTRATOR,
    );
    expect(retried).toMatchObject({ id, status: Job_Status.QUEUED });
  });

  test("has no say in the jobs of others, nor in those of another project", async () => {
    const { job } = await world.ask("submitJob", { task: "free" });
    const others = [{ id: job?.id ?? "", as: ORCHESTRATOR }];
    const id = uuidV7();
    await submit(item(id));
    others.push({ id, as: { ...ORCHESTRATOR, project: "second" } as typeof ORCHESTRATOR });
    for (const { id: other, as } of others) {
      for (const rpc of ["getJob", "listJobAttempts", "cancelJob", "retryJob"] as const) {
        await expect(world.ask(rpc, { id: other }, as)).rejects.toMatchObject({ reason: "NOT_FOUND" });
      }
    }
  });
});
