import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { type As, type EngineWorld, engineWorld } from "./engine-world.ts";

let world: EngineWorld;
beforeAll(async () => {
  world = await engineWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

const reasonOf = (failure: unknown): string => faultFrom(failure).reason;
const submit = (idempotencyKey: string, more: object = {}, as: As = {}) =>
  world.ask("submitJob", { task: "t", idempotencyKey, ...more }, as);
const count = async (task: string): Promise<number> => {
  const text = "select count(*)::int as jobs from job where task = $1";
  const [row] = await world.pool.query<{ jobs: number }>({ name: "", text }, [task]);
  return row?.jobs ?? -1;
};

describe("a request with an idempotency key", () => {
  test("I18: fifty at once at two replicas make one job, and nobody is told of another", async () => {
    const replica = world.replica();
    const asked = Array.from({ length: 50 }, (_, index) =>
      (index % 2 === 0 ? world : replica)
        .ask("submitJob", { task: "fifty", idempotencyKey: "one" })
        .catch((failure: unknown) => reasonOf(failure)),
    );
    const answers = await Promise.all(asked);
    const ids = new Set(answers.flatMap((answer) => (typeof answer === "string" ? [] : [answer.job?.id])));
    const refusals = new Set(answers.filter((answer) => typeof answer === "string"));
    expect(ids.size).toBe(1);
    expect([...refusals].filter((reason) => reason !== "IDEMPOTENCY_IN_FLIGHT")).toEqual([]);
    expect(await count("fifty")).toBe(1);
  });

  test("is answered as the first time, and says so", async () => {
    const input = { kind: { case: "stringValue", value: "in" } } as const;
    const first = await submit("again", { input });
    await world.ask("cancelJob", { id: first.job?.id ?? "" });
    const second = await submit("again", { input });
    expect(second.job).toEqual(first.job);
    expect([first.replayed, second.replayed]).toEqual([false, true]);
  });

  test("is refused when the request is another one, be it by one field", async () => {
    await submit("other");
    await expect(submit("other", { priority: 1 }).catch(reasonOf)).resolves.toBe("IDEMPOTENCY_KEY_REUSED");
  });

  test("is the same request whatever the order of its keys", async () => {
    const input = (json: object) => ({ kind: { case: "structValue" as const, value: json } });
    const first = await submit("order", {
      input: input({ a: 1, b: { c: 2, d: 3 } }),
      labels: { x: "1", y: "2" },
    });
    const second = await submit("order", {
      input: input({ b: { d: 3, c: 2 }, a: 1 }),
      labels: { y: "2", x: "1" },
    });
    expect(second.job?.id).toBe(first.job?.id);
  });

  test("has a scope of its own in each project", async () => {
    const mine = await submit("scope");
    const theirs = await submit("scope", {}, { project: "second" });
    expect(theirs.replayed).toBe(false);
    expect(theirs.job?.id).not.toBe(mine.job?.id);
  });

  test("stores no refusal: a corrected request may use the key", async () => {
    const past = { expireTime: { seconds: 1n } };
    await expect(submit("refused", past).catch(reasonOf)).resolves.toBe("INVALID_REQUEST");
    expect((await submit("refused")).replayed).toBe(false);
  });

  test("shares the scope of the single submission when it is an item of a batch", async () => {
    const single = await submit("shared");
    const item = { task: "t", idempotencyKey: "shared" };
    const { outcomes } = await world.ask("batchSubmitJobs", { jobs: [item, { task: "t" }, item] });
    const ids = outcomes.map(({ result }) => (result.case === "job" ? result.value.id : undefined));
    expect([ids[0], ids[2]]).toEqual([single.job?.id, single.job?.id]);
    expect(outcomes.map(({ replayed }) => replayed)).toEqual([true, undefined, true]);
  });

  test("comes twice in one batch: once new, once replayed, and once refused if it differs", async () => {
    const item = { task: "twice", idempotencyKey: "twice" };
    const { outcomes } = await world.ask("batchSubmitJobs", { jobs: [item, item, { ...item, priority: 3 }] });
    expect(outcomes.map(({ result, replayed }) => [result.case, replayed])).toEqual([
      ["job", undefined],
      ["job", true],
      ["error", undefined],
    ]);
    expect(await count("twice")).toBe(1);
  });

  test("stands for a whole batch, which then is one transaction", async () => {
    const batch = { idempotencyKey: "batch", jobs: [{ task: "whole" }, { task: "" }, { task: "whole" }] };
    const first = await world.ask("batchSubmitJobs", batch);
    const second = await world.ask("batchSubmitJobs", batch);
    expect(first.outcomes.map(({ result }) => result.case)).toEqual(["job", "error", "job"]);
    expect([second.outcomes, second.replayed]).toEqual([first.outcomes, true]);
    expect(await count("whole")).toBe(2);
  });

  test("holds for cancel, retry and queues as well", async () => {
    const id = (await world.ask("submitJob", { task: "t" })).job?.id ?? "";
    const cancel = await world.ask("cancelJob", { id, idempotencyKey: "c" });
    await world.ask("retryJob", { id });
    const again = await world.ask("cancelJob", { id, idempotencyKey: "c" });
    expect([again.replayed, again.job]).toEqual([true, cancel.job]);
    const pause = await world.ask("pauseQueue", { queue: "default", idempotencyKey: "p" });
    await world.ask("resumeQueue", { queue: "default" });
    expect(await world.ask("pauseQueue", { queue: "default", idempotencyKey: "p" })).toMatchObject({
      replayed: true,
      queue: pause.queue,
    });
  });

  test("ends after 24 hours", async () => {
    await submit("old");
    const text = "update idempotency_key set created_at = created_at - interval '24 hours' where key = 'old'";
    const admin = world.administrator();
    await admin.query({ name: "", text }, []);
    expect((await submit("old")).replayed).toBe(false);
  });
});
