import { fromJson, type JsonObject, type JsonValue, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import { Job_Status } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { eventually } from "@orrery/mesh/testing/eventually";
import { ATTEMPT_STATUSES, JOB_STATUSES } from "../src/domain/job-state.ts";
import { type EngineWorld, engineWorld } from "./engine-world.ts";

let world: EngineWorld;
beforeAll(async () => {
  world = await engineWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const reasonOf = (failure: unknown): string => faultFrom(failure).reason;
const value = (json: JsonValue) => fromJson(ValueSchema, json);
const lease = async (task: string) => {
  const { leases } = await world.ask("leaseJobs", { tasks: [task], worker: "w", waitSeconds: 5 });
  const [first] = leases;
  if (first === undefined) throw new Error("nothing granted");
  return first;
};

describe("a job", () => {
  test.each([
    [null],
    ['nul \u0000, quote " and lone \\ud800 as text'],
    [{ deep: [1e21, -0.5, { "": "", __proto__: 1 }], z: true, a: false }],
    [[[], {}]],
  ])("gives its worker and its readers the input as it came: %j", async (input) => {
    const task = `echo-${Math.abs(JSON.stringify(input).length)}`;
    const { job } = await world.ask("submitJob", { task, input: value(input) });
    const held = await lease(task);
    expect(held.input && toJson(ValueSchema, held.input)).toEqual(input);
    await world.ask("completeAttempts", { results: [{ ...ref(held), output: held.input ?? value(null) }] });
    const { job: read } = await world.ask("getJob", { id: job?.id ?? "" });
    expect(read?.status).toBe(Job_Status.SUCCEEDED);
    expect(read?.output && toJson(ValueSchema, read.output)).toEqual(input);
    expect(read?.input && toJson(ValueSchema, read.input)).toEqual(input);
  });

  test("without an input has none, which is not null", async () => {
    const { job } = await world.ask("submitJob", { task: "none" });
    expect((await world.ask("getJob", { id: job?.id ?? "" })).job?.input).toBeUndefined();
    expect((await lease("none")).input).toBeUndefined();
  });

  test("is read, cancelled and retried by its own project only", async () => {
    const id = (await world.ask("submitJob", { task: "own" })).job?.id ?? "";
    const as = { project: "second" };
    for (const rpc of ["getJob", "listJobAttempts", "listJobEvents", "cancelJob", "retryJob"] as const)
      await expect(world.ask(rpc, { id }, as).catch(reasonOf)).resolves.toBe("NOT_FOUND");
  });

  test("I8: has a gapless history by version, in pages", async () => {
    const id = (await world.ask("submitJob", { task: "pages" })).job?.id ?? "";
    for (let round = 0; round < 3; round += 1)
      await world.ask("releaseAttempts", { leases: [ref(await lease("pages"))] });
    const versions: number[] = [];
    let pageToken = "";
    do {
      const page = await world.ask("listJobEvents", { id, pageSize: 3, pageToken });
      versions.push(...page.events.map(({ aggregateVersion }) => aggregateVersion));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(versions).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const wrong = { id, pageToken: Buffer.from("1:other:3").toString("base64url") };
    await expect(world.ask("listJobEvents", wrong).catch(reasonOf)).resolves.toBe("INVALID_PAGE_TOKEN");
  });

  test("has its input in its first event only, and its output in the last only", async () => {
    const { job } = await world.ask("submitJob", { task: "texts", input: value({ in: 1 }) });
    const held = await lease("texts");
    await world.ask("completeAttempts", { results: [{ ...ref(held), output: value({ out: 2 }) }] });
    const { events } = await world.ask("listJobEvents", { id: job?.id ?? "" });
    const jobs = events.map(
      (event) => (toJson(EventEnvelopeSchema, event) as { payload: { job: JsonObject } }).payload.job,
    );
    expect(jobs.map(({ input, output }) => [input, output])).toEqual([
      [{ in: 1 }, undefined],
      [undefined, undefined],
      [undefined, { out: 2 }],
    ]);
  });
});

describe("a batch of submissions", () => {
  test("refuses each bad item by its path, and takes its neighbours", async () => {
    const { outcomes } = await world.ask("batchSubmitJobs", {
      jobs: [
        { task: "ok" },
        { task: "ok", maxAttempts: 101 },
        { task: "ok", expireTime: { seconds: 1n } },
        { task: "ok", input: value("x".repeat(192 * 1024)) },
        { task: "ok", runTime: { seconds: 1n }, delay: { seconds: 1n } },
        { task: "ok", labels: { a: "\0" } },
        { task: "ok", runTime: { seconds: -(10n ** 16n) }, idempotencyKey: "year-minus-316-million" },
        {
          task: "ok",
          timeout: { seconds: 1n, nanos: 2_000_000_000 },
          idempotencyKey: "two-seconds-of-nanos",
        },
        { task: "ok" },
      ],
    });
    const fields = outcomes.map(({ result }) =>
      result.case === "error" ? result.value.fieldViolations.map(({ field }) => field) : result.case,
    );
    expect(fields).toEqual([
      "job",
      ["jobs[1].maxAttempts"],
      ["jobs[2].expireTime"],
      ["jobs[3].input"],
      ["jobs[4].delay"],
      ['jobs[5].labels["a"]'],
      ["jobs[6]"],
      ["jobs[7]"],
      "job",
    ]);
  });

  test("of several callers keeps each with its own project", async () => {
    const item = (project: string) => ({ caller: { project, principal: "p" }, job: { task: "several" } });
    const { outcomes } = await world.ask("submitJobs", { items: [item("demo"), item("second")] });
    const jobs = outcomes.map(({ result }) => (result.case === "job" ? result.value : undefined));
    expect(jobs.map((job) => job?.project)).toEqual(["demo", "second"]);
    await expect(world.ask("getJob", { id: jobs[1]?.id ?? "" }).catch(reasonOf)).resolves.toBe("NOT_FOUND");
  });
});

describe("the database", () => {
  test("admits the statuses of the domain's tables, and no others", async () => {
    const text =
      "select pg_get_constraintdef(oid) as definition from pg_constraint where conname = $1 and conparentid = 0";
    const admitted = async (constraint: string): Promise<string[]> => {
      const [row] = await world.pool.query<{ definition: string }>({ name: "", text }, [constraint]);
      return [...(row?.definition ?? "").matchAll(/'([A-Z]+)'/g)].map(([, status = ""]) => status).sort();
    };
    expect(await admitted("job_status")).toEqual([...JOB_STATUSES].sort());
    // The attempt that runs is its lease.
    expect(await admitted("attempt_status")).toEqual(
      ATTEMPT_STATUSES.filter((status) => status !== "RUNNING").sort(),
    );
  });

  test("shows a transaction that was opened for one project nothing of another", async () => {
    await world.ask("submitJob", { task: "rls" }, { project: "third" });
    const statement = { name: "", text: "select project from job where task = 'rls'" };
    const seen = (projects?: string[]) =>
      world.pool.transaction((tx) => tx.query(statement, []), projects === undefined ? {} : { projects });
    expect(await seen(["demo", 'odd"name'])).toEqual([]);
    expect(await seen(["third"])).toEqual([{ project: "third" }]);
    expect(await seen()).toEqual([{ project: "third" }]);
  });

  test("holds a row of each narrow table for exactly the jobs that it is for", async () => {
    const text = `select
      (select count(*) from job where status = 'QUEUED') = (select count(*) from job_ready) as ready,
      (select count(*) from job where status in ('SCHEDULED', 'RETRYING')) = (select count(*) from job_due) as due,
      (select count(*) from job where status = 'RUNNING') = (select count(*) from lease) as running,
      (select count(*) from attempt) + (select count(*) from lease) = (select sum(attempt) from job) as attempts,
      (select sum(version) from job)::int = (select count(*) from outbox)::int as events`;
    const [row] = await world.pool.query({ name: "", text }, []);
    expect(row).toEqual({ ready: true, due: true, running: true, attempts: true, events: true });
  });
});

describe("the metrics", () => {
  test("I27: count what was committed, and show the depth of the queues from the database", async () => {
    const read = async (name: string): Promise<number> => {
      const metric = await world.metrics.registry.getSingleMetric(name)?.get();
      return metric?.values.reduce((sum, { value: count }) => sum + count, 0) ?? -1;
    };
    const before = await read("orrery_jobs_submitted_total");
    await world.ask("submitJob", { task: "counted", queue: "counted" });
    expect(await read("orrery_jobs_submitted_total")).toBe(before + 1);
    await eventually(async () => {
      const depth = await world.metrics.registry.getSingleMetric("orrery_queue_depth")?.get();
      expect(depth?.values).toContainEqual(
        expect.objectContaining({ value: 1, labels: { queue: "counted", status: "QUEUED" } }),
      );
    });
  });
});

const ref = ({ jobId, leaseEpoch }: { jobId: string; leaseEpoch: number }) => ({ jobId, leaseEpoch });
