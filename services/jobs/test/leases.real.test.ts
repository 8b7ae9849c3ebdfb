import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { JobAttempt_Status as AttemptStatus } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type { Lease } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { Problem_Reason as Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { eventually } from "@orrery/mesh/testing/eventually";
import { createJobStore } from "../src/adapters/postgres/job-store.ts";
import { createLeaseStore } from "../src/adapters/postgres/lease-store.ts";
import type { Success } from "../src/application/ports.ts";
import { hear } from "../src/domain/attempt-decisions.ts";
import { type As, type EngineWorld, engineWorld } from "./engine-world.ts";

let world: EngineWorld;
let other: EngineWorld;
beforeAll(async () => {
  world = await engineWorld();
  other = world.replica();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const submit = async (task: string, jobs: number, more: object = {}): Promise<string[]> => {
  const { outcomes } = await world.ask("batchSubmitJobs", {
    jobs: Array.from({ length: jobs }, () => ({ task, ...more })),
  });
  return outcomes.map(({ result }) => (result.case === "job" ? result.value.id : ""));
};
const lease = async (task: string, more: object = {}, as: As = {}, at = world): Promise<Lease[]> => {
  const { leases } = await at.ask("leaseJobs", { tasks: [task], worker: "w", max: 100, ...more }, as);
  return leases;
};
const ref = ({ jobId, leaseEpoch }: Lease) => ({ jobId, leaseEpoch });
const complete = async (held: readonly Lease[], as: As = {}) =>
  (await world.ask("completeAttempts", { results: held.map(ref) }, as)).outcomes;

describe("a grant", () => {
  test("I1: goes to one holder, however many ask at two replicas at once", async () => {
    const ids = await submit("race", 300);
    const shares = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        lease("race", { max: 40 }, {}, index % 2 === 0 ? world : other),
      ),
    );
    const granted = shares.flat().map(({ jobId }) => jobId);
    expect(new Set(granted).size).toBe(granted.length);
    const rest: string[] = [];
    await eventually(async () => {
      rest.push(...(await lease("race")).map(({ jobId }) => jobId));
      expect(granted.length + rest.length).toBe(ids.length);
    });
    expect(new Set([...granted, ...rest]).size).toBe(ids.length);
  });

  test("goes to the higher priority first, then by time, then by id", async () => {
    const [low] = await submit("order", 1, { priority: 1 });
    const high = await submit("order", 3, { priority: 9 });
    expect((await lease("order")).map(({ jobId }) => jobId)).toEqual([...high.sort(), low]);
  });

  test("is of the tasks and queues asked for, and of the caller's project", async () => {
    await submit("mine", 1, { queue: "a" });
    expect(await lease("yours")).toEqual([]);
    expect(await lease("mine", { queues: ["b"] })).toEqual([]);
    expect(await lease("mine", {}, { project: "second" })).toEqual([]);
    expect(await lease("mine", { queues: ["b", "a"] })).toHaveLength(1);
  });

  test("of a task of the platform goes to the platform's worker alone, for every project", async () => {
    await submit("orrery.echo", 1);
    const refused = await lease("orrery.echo").catch((failure: unknown) => faultFrom(failure).reason);
    expect(refused).toBe("TASK_RESERVED");
    const platform = { project: undefined, caller: "worker" };
    const held = await lease("orrery.echo", {}, platform);
    expect(held.map(({ project }) => project)).toEqual(["demo"]);
    expect((await complete(held, platform))[0]?.ok).toBe(true);
  });

  test("is the same again for the same request id, as long as its leases live", async () => {
    await submit("lost-reply", 3);
    const first = await lease("lost-reply", { max: 2, requestId: "r1" });
    const again = await lease("lost-reply", { max: 2, requestId: "r1" });
    expect(again.map(ref)).toEqual(first.map(ref));
    await complete(first.slice(0, 1));
    expect((await lease("lost-reply", { max: 2, requestId: "r1" })).map(ref)).toEqual(
      first.slice(1).map(ref),
    );
    expect(await lease("lost-reply", { requestId: "r2" })).toHaveLength(1);
    expect(await lease("lost-reply", { requestId: "r1" }, { principal: "bob" })).toEqual([]);
  });

  test("is the same for requests that come at once with one id", async () => {
    await submit("asked-at-once", 10);
    const asked = Array.from({ length: 4 }, () => lease("asked-at-once", { max: 2, requestId: "r3" }));
    const [first = [], ...others] = (await Promise.all(asked)).map((held) => held.map(ref));
    expect(first).toHaveLength(2);
    expect(others).toEqual([first, first, first]);
  });

  test("carries at most 2 MiB of inputs in all", async () => {
    const input = { kind: { case: "stringValue", value: "x".repeat(190 * 1024) } } as const;
    await submit("large", 15, { input });
    expect((await lease("large")).length).toBe(10);
    expect((await lease("large")).length).toBe(5);
  });

  test("comes within 250 ms of a submission to a worker that waits", async () => {
    const waiting = lease("soon", { waitSeconds: 10 });
    await eventually(async () =>
      expect(await world.pool.query({ name: "", text: "select from worker" }, [])).not.toEqual([]),
    );
    const startMs = performance.now();
    await submit("soon", 1);
    expect(await waiting).toHaveLength(1);
    expect(performance.now() - startMs).toBeLessThan(250);
  });

  test("comes to a worker at another replica within a poll, without any wake-up", async () => {
    const waiting = lease("far", { waitSeconds: 10 }, {}, other);
    await submit("far", 1);
    expect(await waiting).toHaveLength(1);
  });

  test("is never made to a caller that went away while it waited", async () => {
    const gone = new AbortController();
    const waiting = lease("gone", { waitSeconds: 30 }, { signal: gone.signal });
    gone.abort();
    expect(await waiting).toEqual([]);
    const [id = ""] = await submit("gone", 1);
    expect((await lease("gone")).map(({ attempt, jobId }) => [jobId, attempt])).toEqual([[id, 1]]);
  });
});

describe("a word about an attempt", () => {
  test("I7: is refused with an old epoch, after a loss and a second grant", async () => {
    const [id = ""] = await submit("fence", 1);
    const [first] = await lease("fence");
    const text = "update lease set expire_time = clock_timestamp() where job_id = $1";
    await world.pool.query({ name: "", text }, [id]);
    const [second] = await lease("fence", { waitSeconds: 10 });
    if (first === undefined || second === undefined) throw new Error("not granted twice");
    const [stale, fresh] = [await complete([first]), await complete([second])];
    expect(stale[0]).toMatchObject({ ok: false, reason: Reason.LEASE_LOST });
    expect(fresh[0]).toMatchObject({ ok: true });
  });

  test("gets its own outcome beside its neighbours, in order", async () => {
    await submit("mixed", 3);
    const [a, b, c] = await lease("mixed");
    if (!a || !b || !c) throw new Error("three were submitted");
    const unknown = { jobId: "01a1fd6c-2a40-7000-8000-000000000001", leaseEpoch: 1 };
    const { outcomes } = await world.ask("completeAttempts", {
      results: [
        ref(a),
        unknown,
        { ...ref(b), leaseEpoch: 7 },
        { jobId: "no id", leaseEpoch: 1 },
        ref(b),
        ref(a),
      ],
    });
    expect(outcomes.map(({ ok, reason, replayed }) => [ok, reason && Reason[reason], replayed])).toEqual([
      [true, undefined, undefined],
      [false, "NOT_FOUND", undefined],
      [false, "LEASE_LOST", undefined],
      [false, "NOT_FOUND", undefined],
      [true, undefined, undefined],
      [true, undefined, true],
    ]);
    expect((await complete([a, c], { principal: "bob" })).map(({ reason }) => reason)).toEqual([
      Reason.LEASE_FOREIGN,
      Reason.LEASE_FOREIGN,
    ]);
    expect((await complete([c], { project: "second" }))[0]?.reason).toBe(Reason.NOT_FOUND);
  });

  test("that is said twice at once at two replicas is taken once and replayed once", async () => {
    await submit("double", 50);
    const held = await lease("double");
    const results = held.map(ref);
    const [one, two] = await Promise.all([
      world.ask("completeAttempts", { results }),
      other.ask("completeAttempts", { results }),
    ]);
    const outcomes = [...one.outcomes, ...two.outcomes];
    expect(outcomes.every(({ ok }) => ok)).toBe(true);
    expect(outcomes.filter(({ replayed }) => replayed)).toHaveLength(50);
  });

  test("of failure with another error is not the same word again", async () => {
    await submit("word", 1);
    const [held] = await lease("word");
    if (held === undefined) throw new Error("nothing granted");
    const fail = async (message: string) =>
      (await world.ask("failAttempts", { results: [{ ...ref(held), error: { type: "E", message } }] }))
        .outcomes[0];
    expect(await fail("a")).toMatchObject({ ok: true });
    expect(await fail("a")).toMatchObject({ ok: true, replayed: true });
    expect(await fail("b")).toMatchObject({ ok: false, reason: Reason.LEASE_LOST });
  });

  test("may bring 192 KiB of output, and one byte more is refused by its path", async () => {
    await submit("output", 1);
    const [held] = await lease("output");
    if (held === undefined) throw new Error("nothing granted");
    const done = (bytes: number) =>
      world.ask("completeAttempts", {
        results: [{ ...ref(held), output: { kind: { case: "stringValue", value: "x".repeat(bytes - 2) } } }],
      });
    const fault = await done(192 * 1024 + 1).catch(faultFrom);
    expect(fault).toMatchObject({
      reason: "BODY_TOO_LARGE",
      fieldViolations: [{ field: "results[0].output" }],
    });
    expect((await done(192 * 1024)).outcomes[0]?.ok).toBe(true);
  });

  test("of life prolongs a lease, and tells whose it is not", async () => {
    await submit("beat", 1);
    const [held] = await lease("beat");
    if (held === undefined) throw new Error("nothing granted");
    const beat = async (as: As = {}, leaseEpoch = 1) =>
      (await world.ask("heartbeatAttempts", { worker: "w", leases: [{ ...ref(held), leaseEpoch }] }, as))
        .outcomes[0];
    const first = await beat();
    expect(first?.ok).toBe(true);
    expect(Number(first?.leaseExpireTime?.seconds)).toBeGreaterThanOrEqual(
      Number(held.leaseExpireTime?.seconds),
    );
    expect((await beat({ principal: "bob" }))?.reason).toBe(Reason.LEASE_FOREIGN);
    expect((await beat({}, 2))?.reason).toBe(Reason.LEASE_LOST);
    expect((await beat({ project: "second" }))?.reason).toBe(Reason.NOT_FOUND);
    // In one batch with the holder's, they are told the same.
    const claim = { jobId: held.jobId, epoch: held.leaseEpoch, principal: "ann", project: "demo" };
    const claims = [claim, { ...claim, principal: "bob" }, { ...claim, project: "second" }];
    expect(await createLeaseStore(world.pool).prolong(claims)).toMatchObject([
      { ok: true },
      { ok: false, reason: "LEASE_FOREIGN" },
      { ok: false, reason: "NOT_FOUND" },
    ]);
  });
});

describe("a success, which one guarded statement takes", () => {
  const SUCCESS = { kind: "complete" } as const;

  test("is taken exactly where the domain's rule takes it, whatever the word names wrongly", async () => {
    await submit("guard", 6);
    const held = await lease("guard");
    const [whole, cancelled, ended, epoch, foreign, stranger] = held;
    if (!whole || !cancelled || !ended || !epoch || !foreign || !stranger)
      throw new Error("six were submitted");
    await world.ask("cancelJob", { id: cancelled.jobId });
    await complete([ended]);
    const jobs = createJobStore(world.pool);
    const by = { project: "demo", principal: "ann" };
    const said = (of: Lease, more: Partial<Success> = {}): Success => ({
      ...{ jobId: of.jobId, epoch: of.leaseEpoch, digest: "d", by, outputText: "1" },
      ...more,
    });
    const words = [
      said(whole),
      said(cancelled),
      said(ended),
      said(epoch, { epoch: 2 }),
      said(foreign, { by: { ...by, principal: "eve" } }),
      said(stranger, { by: { ...by, project: "second" } }),
      said(whole, { jobId: "01a1fd6c-2a40-7000-8000-00000000000e" }),
    ];
    const rolledBack = new Error("only asked");
    const asked = world.pool.transaction(async (tx) => {
      const { held: known, nowMs } = await jobs.lockAll(tx, words);
      const decided = words.filter((word) => {
        const { jobId, epoch: number, digest } = word;
        const about = { jobId, epoch: number, digest, word: SUCCESS };
        return hear(known.get(jobId), about, word.by, { nowMs, chance: 0 }).kind === "step";
      });
      const taken = new Set((await jobs.succeedAll(tx, words)).map(({ job }) => job.id));
      expect([...taken].sort()).toEqual(decided.map(({ jobId }) => jobId).sort());
      expect(taken.size).toBe(2);
      throw rolledBack;
    });
    await expect(asked).rejects.toBe(rolledBack);
  });

  test("stands beside other words of the same message, each with its own outcome in its own place", async () => {
    await submit("mixed", 3);
    const [first, second, third] = await lease("mixed");
    if (!first || !second || !third) throw new Error("three were submitted");
    const outcomes = await complete([first, second, first, { ...third, leaseEpoch: 9 }]);
    expect(
      outcomes.map(({ ok, replayed, reason }) => (ok ? replayed === true : reason && Reason[reason])),
    ).toEqual([false, false, true, "LEASE_LOST"]);
    expect(outcomes.map(({ jobId }) => jobId)).toEqual(
      [first, second, first, third].map(({ jobId }) => jobId),
    );
  });

  test("leaves an attempt with its worker and times, which ran as its lease until then", async () => {
    const [id] = await submit("history", 1);
    const [held] = await lease("history");
    const attempts = async () => (await world.ask("listJobAttempts", { id: id ?? "" })).attempts;
    expect(await attempts()).toMatchObject([{ attempt: 1, worker: "w", status: AttemptStatus.RUNNING }]);
    await complete(held === undefined ? [] : [held]);
    const [attempt, ...more] = await attempts();
    expect(more).toEqual([]);
    expect(attempt).toMatchObject({ attempt: 1, worker: "w", status: AttemptStatus.SUCCEEDED });
    expect(attempt?.endTime).toBeDefined();
  });
});
