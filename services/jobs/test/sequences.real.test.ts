import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Job_Status } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type { Lease } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { eventually } from "@orrery/mesh/testing/eventually";
import { type EngineWorld, engineWorld } from "./engine-world.ts";

// The sequences of events that the public contract promises, each from the first event to the last.
let world: EngineWorld;
beforeAll(async () => {
  world = await engineWorld();
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

let tasks = 0;
function aTask(): string {
  tasks += 1;
  return `task-${tasks}`;
}

async function submit(more: object = {}): Promise<{ id: string; task: string }> {
  const task = aTask();
  const { job } = await world.ask("submitJob", { task, ...more });
  return { id: job?.id ?? "", task };
}

async function lease(task: string, waitSeconds = 10): Promise<Lease> {
  const { leases } = await world.ask("leaseJobs", { tasks: [task], worker: "w", waitSeconds });
  const [first] = leases;
  if (first === undefined) throw new Error(`nothing to do for ${task}`);
  return first;
}

const ref = ({ jobId, leaseEpoch }: Lease) => ({ jobId, leaseEpoch });
const complete = (held: Lease) => world.ask("completeAttempts", { results: [ref(held)] });
const fail = (held: Lease, more: object = {}) =>
  world.ask("failAttempts", {
    results: [{ ...ref(held), error: { type: "BROKEN", message: "no" }, ...more }],
  });

const atOnce = { initialDelay: { seconds: 0n, nanos: 0 } };
const expired = async (id: string, column: string): Promise<void> => {
  const text = `update lease set ${column} = clock_timestamp() - interval '11 seconds' where job_id = $1`;
  await world.pool.query({ name: "", text }, [id]);
};
const ends = (id: string, sequence: string[]) =>
  eventually(async () => expect(await world.sequence(id)).toEqual(sequence));

describe("the sequences of events", () => {
  test("a delayed job is scheduled, then queued within 200 ms of its time, and runs", async () => {
    const { id, task } = await submit({ delay: { seconds: 0n, nanos: 300_000_000 } });
    expect(await world.sequence(id)).toEqual(["Scheduled"]);
    const held = await lease(task);
    const { job } = await world.ask("getJob", { id });
    const lateMs = Number(job?.startTime?.nanos) / 1e6 + Number(job?.startTime?.seconds) * 1000;
    const dueMs = Number(job?.runTime?.nanos) / 1e6 + Number(job?.runTime?.seconds) * 1000;
    expect(lateMs - dueMs).toBeLessThan(200);
    await complete(held);
    await ends(id, ["Scheduled", "Queued", "Started", "Succeeded"]);
  });

  test("a job that fails once is retried and succeeds", async () => {
    const { id, task } = await submit({ retryPolicy: atOnce });
    await fail(await lease(task));
    await complete(await lease(task));
    await ends(id, ["Queued", "Started", "Retrying", "Queued", "Started", "Succeeded"]);
  });

  test("a job that is out of attempts fails, and :retry queues it again with as many more", async () => {
    const { id, task } = await submit({ retryPolicy: atOnce, maxAttempts: 2 });
    await fail(await lease(task));
    await fail(await lease(task));
    await ends(id, ["Queued", "Started", "Retrying", "Queued", "Started", "Failed"]);
    const { job } = await world.ask("retryJob", { id });
    expect(job).toMatchObject({ status: Job_Status.QUEUED, maxAttempts: 4, attempt: 2 });
    expect([job?.error, job?.startTime, job?.endTime]).toEqual([undefined, undefined, undefined]);
    await complete(await lease(task));
    expect((await world.sequence(id)).slice(-3)).toEqual(["Queued", "Started", "Succeeded"]);
  });

  test("an error that is not retryable fails the job at its first attempt", async () => {
    const { id, task } = await submit();
    await fail(await lease(task), { error: { type: "BAD", message: "never", retryable: false } });
    await ends(id, ["Queued", "Started", "Failed"]);
  });

  test("a lost attempt puts the job back at once, without a backoff and without JobQueued", async () => {
    const { id, task } = await submit();
    await lease(task);
    await expired(id, "expire_time");
    await complete(await lease(task));
    await ends(id, ["Queued", "Started", "AttemptLost", "Started", "Succeeded"]);
    const { attempts } = await world.ask("listJobAttempts", { id });
    expect(attempts.map(({ attempt, error }) => [attempt, error?.type])).toEqual([
      [1, "LEASE_EXPIRED"],
      [2, undefined],
    ]);
  });

  test("a loss at the last attempt fails the job with LEASE_EXPIRED", async () => {
    const { id, task } = await submit({ maxAttempts: 1 });
    await lease(task);
    await expired(id, "expire_time");
    await ends(id, ["Queued", "Started", "Failed"]);
    expect((await world.ask("getJob", { id })).job?.error?.type).toBe("LEASE_EXPIRED");
  });

  test("a released attempt does not count against maxAttempts", async () => {
    const { id, task } = await submit({ maxAttempts: 1 });
    for (let round = 0; round < 3; round += 1) {
      const held = await lease(task);
      await world.ask("releaseAttempts", { leases: [ref(held)] });
    }
    await complete(await lease(task));
    await ends(id, [
      "Queued",
      ...Array(3).fill(["Started", "AttemptReleased"]).flat(),
      "Started",
      "Succeeded",
    ]);
    expect((await world.ask("getJob", { id })).job).toMatchObject({ attempt: 4, maxAttempts: 1 });
  });

  test("a cancellation before the start ends the job without a request event", async () => {
    for (const more of [{}, { delay: { seconds: 60n } }]) {
      const { id } = await submit(more);
      const { job } = await world.ask("cancelJob", { id });
      expect(job?.status).toBe(Job_Status.CANCELLED);
      expect(await world.sequence(id)).toEqual([more.delay ? "Scheduled" : "Queued", "Cancelled"]);
      expect((await world.ask("cancelJob", { id })).job?.version).toBe(2);
    }
  });

  test("a running job is cancelled when its worker says so, and the request is recorded once", async () => {
    const { id, task } = await submit();
    const held = await lease(task);
    await world.ask("cancelJob", { id });
    const { job } = await world.ask("cancelJob", { id });
    expect(job).toMatchObject({ status: Job_Status.RUNNING, version: 3 });
    const { outcomes } = await world.ask("heartbeatAttempts", { worker: "w", leases: [ref(held)] });
    expect(outcomes[0]).toMatchObject({ ok: true, cancelRequested: true });
    await fail(held, { cancelled: true });
    await ends(id, ["Queued", "Started", "CancelRequested", "Cancelled"]);
  });

  test("a cancellation that nobody answers ends the job after 10 seconds", async () => {
    const { id, task } = await submit();
    await lease(task);
    await world.ask("cancelJob", { id });
    const text =
      "update job set cancel_request_time = cancel_request_time - interval '10 seconds' where id = $1";
    await world.pool.query({ name: "", text }, [id]);
    await expired(id, "cancel_time");
    await ends(id, ["Queued", "Started", "CancelRequested", "Cancelled"]);
  });

  test("a success that comes after a request to cancel is a success", async () => {
    const { id, task } = await submit();
    const held = await lease(task);
    await world.ask("cancelJob", { id });
    await complete(held);
    await ends(id, ["Queued", "Started", "CancelRequested", "Succeeded"]);
  });

  test("expireTime ends a waiting job and a running one", async () => {
    const soon = BigInt(Math.ceil(Date.now() / 1000) + 1);
    const waiting = await submit({ expireTime: { seconds: soon } });
    const running = await submit({ expireTime: { seconds: soon } });
    await lease(running.task);
    await ends(waiting.id, ["Queued", "Expired"]);
    await ends(running.id, ["Queued", "Started", "Expired"]);
  });

  test("an attempt that runs too long fails with TIMEOUT and is retried", async () => {
    const { id, task } = await submit({ timeout: { nanos: 100_000_000 }, retryPolicy: atOnce });
    const held = await lease(task);
    await complete(await lease(task)).catch(() => undefined);
    expect((await complete(held)).outcomes[0]?.ok).toBe(false);
    expect((await world.sequence(id)).slice(0, 5)).toEqual([
      "Queued",
      "Started",
      "Retrying",
      "Queued",
      "Started",
    ]);
    const { attempts } = await world.ask("listJobAttempts", { id });
    expect(attempts[0]?.error).toMatchObject({ type: "TIMEOUT", retryable: true });
  });
});
