import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Job_Blocked_Reason as Blocked } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type { Lease } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { createAnnouncements } from "@orrery/mesh/outbox/announcements";
import { eventually } from "@orrery/mesh/testing/eventually";
import { systemClock } from "@orrery/mesh/time/clock";
import { createJobFacts } from "../src/adapters/events/job-facts.ts";
import { createJobStore } from "../src/adapters/postgres/job-store.ts";
import { createLeaseJobs } from "../src/application/lease-jobs.ts";
import { type EngineWorld, engineWorld } from "./engine-world.ts";

let world: EngineWorld;
let other: EngineWorld;
beforeAll(async () => {
  world = await engineWorld();
  other = world.replica();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const submit = async (
  queue: string,
  jobs: number,
  more: (index: number) => object = () => ({}),
): Promise<string[]> => {
  const wanted = Array.from({ length: jobs }, (_, index) => ({ task: "t", queue, ...more(index) }));
  const { outcomes } = await world.ask("batchSubmitJobs", { jobs: wanted });
  return outcomes.map(({ result }) => (result.case === "job" ? result.value.id : ""));
};
const lease = async (queue: string, max = 100, at = world): Promise<Lease[]> =>
  (await at.ask("leaseJobs", { tasks: ["t"], queues: [queue], worker: "w", max })).leases;
const complete = (held: readonly Lease[], at = world) =>
  at.ask("completeAttempts", { results: held.map(({ jobId, leaseEpoch }) => ({ jobId, leaseEpoch })) });
const why = async (id: string) => (await world.ask("getJob", { id })).job?.blocked;
const set = (name: string, limits: object) => world.ask("updateQueue", { queue: { name, ...limits } });

/**
 * The most leases that were ever open at once, from when each attempt began and ended by the database's
 * clock.
 */
async function mostAtOnce(queue: string, byKey = false): Promise<number> {
  const text = `with edge as (
    select ${byKey ? "j.concurrency_key" : "''::text"} as key, a.start_time as at, 1 as step
      from attempt a join job j on j.id = a.job_id where j.queue = $1
    union all
    select ${byKey ? "j.concurrency_key" : "''::text"}, a.end_time, -1
      from attempt a join job j on j.id = a.job_id where j.queue = $1)
  select coalesce(max(open), 0)::int as most from (
    select sum(step) over (partition by key order by at, step) as open from edge) counted`;
  const [row] = await world.pool.query<{ most: number }>({ name: "", text }, [queue]);
  return row?.most ?? -1;
}

describe("the limits of a queue", () => {
  test("I20: its concurrency is never exceeded while eight workers at two replicas take what they can", async () => {
    await set("tight", { concurrency: 3 });
    await submit("tight", 60);
    let done = 0;
    const worker = async (at: EngineWorld): Promise<void> => {
      while (done < 60) {
        const held = await lease("tight", 10, at);
        const { outcomes } = held.length === 0 ? { outcomes: [] } : await complete(held, at);
        done += outcomes.filter(({ ok }) => ok).length;
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, index) => worker(index % 2 === 0 ? world : other)));
    expect(await mostAtOnce("tight")).toBeLessThanOrEqual(3);
  });

  test("I20: a key holds back its own jobs and no others", async () => {
    await set("keyed", { concurrencyPerKey: 1 });
    await submit("keyed", 6, (index) => ({ concurrencyKey: index < 4 ? "a" : "b" }));
    const held = await lease("keyed");
    expect(held).toHaveLength(2);
    expect(await lease("keyed")).toEqual([]);
    await complete(held);
    expect(await lease("keyed")).toHaveLength(2);
    expect(await mostAtOnce("keyed", true)).toBe(1);
  });

  test("a rate lets so many start within its period, and others after it", async () => {
    await set("rated", { rate: { limit: 2, period: { seconds: 1n } } });
    const [, , third = ""] = await submit("rated", 3);
    expect(await lease("rated")).toHaveLength(2);
    expect(await lease("rated")).toEqual([]);
    expect(await why(third)).toMatchObject({ reason: Blocked.RATE_LIMIT, until: expect.anything() });
    await eventually(async () => expect(await lease("rated")).toHaveLength(1));
  });

  test("a pause holds everything back, and what runs goes on", async () => {
    await submit("paused", 2);
    const [running] = await lease("paused", 1);
    if (running === undefined) throw new Error("nothing granted");
    expect((await world.ask("pauseQueue", { queue: "paused" })).queue?.paused).toBe(true);
    expect(await lease("paused")).toEqual([]);
    expect((await complete([running])).outcomes[0]?.ok).toBe(true);
    await world.ask("resumeQueue", { queue: "paused" });
    expect(await lease("paused")).toHaveLength(1);
  });

  test("of a hundred full queues with a backlog do not hide the one that has room", async () => {
    const task = "crowd";
    const names = Array.from({ length: 100 }, (_, index) => `crowd-${100 + index}`);
    const text = `insert into queue (project, name, concurrency) select 'demo', unnest($1::text[]), 1`;
    await world.pool.query({ name: "", text }, [names]);
    const jobs = [...names, ...names].map((queue) => ({ task, queue }));
    await world.ask("batchSubmitJobs", { jobs });
    await set("crowd-last", { concurrency: 1 });
    const take = async () => (await world.ask("leaseJobs", { tasks: [task], worker: "w", max: 100 })).leases;
    expect(await take()).toHaveLength(100);
    await world.ask("submitJob", { task, queue: "crowd-last" });
    await eventually(async () => expect(await take()).toMatchObject([{ queue: "crowd-last" }]));
  });

  test("let no more input be read than one answer carries", async () => {
    await set("heavy", { concurrency: 100 });
    const input = { kind: { case: "stringValue", value: "x".repeat(190 * 1024) } } as const;
    await submit("heavy", 30, () => ({ input }));
    const store = createJobStore(world.pool);
    let read = 0;
    const leases = createLeaseJobs({
      jobs: {
        ...store,
        readyById: (tx, ids) => {
          read += ids.length;
          return store.readyById(tx, ids);
        },
      },
      facts: createJobFacts({ instanceId: "test", version: "1" }, systemClock),
      inTransaction: (act, limits) => world.pool.transaction(act, limits),
      announcements: createAnnouncements(),
      limitedQueues: () => true,
    });
    const grants = await leases.lease({
      service: { project: "demo", tasks: ["t"], queues: ["heavy"] },
      ...{ worker: "w", principal: "ann", requestId: "", max: 100 },
      signal: new AbortController().signal,
    });
    expect(grants).toHaveLength(10);
    expect(read).toBe(10);
  });

  test("are set one by one, or those that the mask names", async () => {
    await set("masked", {
      concurrency: 5,
      concurrencyPerKey: 2,
      rate: { limit: 7, period: { seconds: 60n } },
    });
    const { queue } = await world.ask("updateQueue", {
      queue: { name: "masked", concurrencyPerKey: 3 },
      updateMask: { paths: ["concurrency", "rate"] },
    });
    expect(queue).toMatchObject({ concurrency: 0, concurrencyPerKey: 2 });
    expect(queue?.rate).toBeUndefined();
    await set("by-part", { rate: { limit: 7, period: { seconds: 60n } } });
    const part = await world.ask("updateQueue", {
      queue: { name: "by-part", rate: { limit: 8, period: { seconds: 5n } } },
      updateMask: { paths: ["rate.limit"] },
    });
    expect(part.queue?.rate).toMatchObject({ limit: 8, period: { seconds: 60n } });
    const nothing = { queue: { name: "masked" }, updateMask: { paths: ["rate.colour"] } };
    expect(await world.ask("updateQueue", nothing).catch(faultFrom)).toMatchObject({
      reason: "INVALID_REQUEST",
    });
    const wrong = { queue: { name: "masked" }, updateMask: { paths: ["paused"] } };
    const fault = await world.ask("updateQueue", wrong).catch(faultFrom);
    expect(fault).toMatchObject({ reason: "INVALID_REQUEST", fieldViolations: [{ field: "updateMask" }] });
    const waited = { queue: { name: "masked" }, updateMask: { paths: ["oldest_wait_seconds"] } };
    const description = "may name concurrency, concurrencyPerKey and rate, and not oldestWaitSeconds";
    expect(await world.ask("updateQueue", waited).catch(faultFrom)).toMatchObject({
      fieldViolations: [{ field: "updateMask", description }],
    });
  });
});

describe("a queue", () => {
  test("is known from the first job that names it, in its own project only, with what is in it", async () => {
    await submit("shown", 2);
    await submit("shown", 1, () => ({ delay: { seconds: 60n } }));
    await lease("shown", 1);
    const { queue } = await world.ask("getQueue", { queue: "shown" });
    expect(queue).toMatchObject({
      name: "shown",
      depth: { SCHEDULED: 1, QUEUED: 1, RUNNING: 1, RETRYING: 0 },
    });
    const unknown = await world.ask("getQueue", { queue: "shown" }, { project: "second" }).catch(faultFrom);
    expect(unknown).toMatchObject({ reason: "NOT_FOUND" });
    const { queues } = await world.ask("listQueues", {});
    expect(queues.map(({ name }) => name)).toEqual([...queues.map(({ name }) => name)].sort());
  });
});

describe("why a job waits", () => {
  test("is true at each turn: no worker, a place in the row, a full queue, a pause", async () => {
    const task = "why";
    const [first = "", second = ""] = await submit("why", 2, () => ({ task, concurrencyKey: "k" }));
    expect(await why(first)).toMatchObject({ reason: Blocked.NO_WORKER, position: 1 });
    const take = async () => (await world.ask("leaseJobs", { tasks: [task], worker: "why-1" })).leases;
    await take();
    await eventually(async () =>
      expect(await why(second)).toMatchObject({ reason: Blocked.WAITING_FOR_SLOT, position: 1 }),
    );
    await set("why", { concurrency: 1 });
    expect(await why(second)).toMatchObject({ reason: Blocked.CONCURRENCY_LIMIT });
    await set("why", { concurrency: 9, concurrencyPerKey: 1 });
    expect((await why(second))?.message).toContain('key "k"');
    await world.ask("pauseQueue", { queue: "why" });
    expect(await why(second)).toMatchObject({ reason: Blocked.QUEUE_PAUSED });
    expect(await why(first)).toBeUndefined();
  });

  test("is that a built-in task is misspelt, where the platform serves others", async () => {
    const [id = ""] = await submit("typo", 1, () => ({ task: "orrery.eco" }));
    const platform = { project: undefined, caller: "worker" };
    await world.ask("leaseJobs", { tasks: ["orrery.sleep", "orrery.echo"], worker: "built-in" }, platform);
    await eventually(async () =>
      expect(await why(id)).toMatchObject({
        reason: Blocked.NO_WORKER,
        message: expect.stringMatching(
          /no built-in task "orrery.eco".*there are orrery.echo, orrery.sleep[.]/,
        ),
      }),
    );
  });

  test("is its time while it waits for one", async () => {
    const [id = ""] = await submit("later", 1, () => ({ delay: { seconds: 60n } }));
    expect(await why(id)).toMatchObject({ reason: Blocked.SCHEDULED, until: expect.anything() });
  });
});

describe("the workers of a project", () => {
  test("are listed with what they serve and hold, and those of another project are not", async () => {
    await submit("workers", 1);
    const request = { tasks: ["t"], queues: ["workers"], worker: "listed" };
    await world.ask("leaseJobs", request);
    await eventually(async () => {
      const { workers } = await world.ask("listWorkers", {});
      const listed = workers.find(({ worker }) => worker === "listed");
      expect(listed).toMatchObject({ tasks: ["t"], queues: ["workers"], leases: 1, draining: false });
    });
    const { workers } = await world.ask("listWorkers", {}, { project: "second" });
    expect(workers.map(({ worker }) => worker)).not.toContain("listed");
  });

  test("count as live for a job's reason as long as they are listed", async () => {
    const [id = ""] = await submit("silent", 1);
    const listedAndServing = async (seconds: number) => {
      const text = `insert into worker
          values ('demo', 'silent', '{t}', '{silent}', 1, false, now() - $1 * interval '1 s')
        on conflict (project, name) do update set seen_time = excluded.seen_time`;
      await world.pool.query({ name: "", text }, [seconds]);
      const { workers } = await world.ask("listWorkers", {});
      return [workers.some(({ worker }) => worker === "silent"), (await why(id))?.reason];
    };
    expect(await listedAndServing(45)).toEqual([true, Blocked.WAITING_FOR_SLOT]);
    expect(await listedAndServing(61)).toEqual([false, Blocked.NO_WORKER]);
  });
});

test("a project has room for ten thousand pairs of a queue and a task; what it has goes on", async () => {
  const as = { project: "hoarder" };
  await world.ask("batchSubmitJobs", { jobs: [{ task: "t", queue: "first" }] }, as);
  await world.administrator().query(
    {
      name: "",
      text: `insert into queue_task (task, project, queue)
             select 't', 'hoarder', 'name-' || n from generate_series(1, 9999) n`,
    },
    [],
  );
  const jobs = [{ queue: "first" }, { queue: "one-more" }, { queue: "first" }].map((job) => ({
    task: "t",
    ...job,
  }));
  const { outcomes } = await other.ask("batchSubmitJobs", { jobs }, as);
  expect(outcomes.map(({ result }) => result.case)).toEqual(["job", "error", "job"]);
  expect(outcomes[1]?.result.value).toMatchObject({
    fieldViolations: [{ field: "jobs[1].queue", description: expect.stringMatching(/10,000 pairs/) }],
  });
  expect(await submit("one-more", 1)).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
});
