import { toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  ListJobAttemptsResponseSchema,
  ListJobEventsResponseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { ListWorkersResponseSchema } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { eventually } from "@orrery/mesh/testing/eventually";
import { type EngineWorld, engineWorld } from "./engine-world.ts";

// Lists of what is as large as it may be: each answer fits into what a client of gRPC takes.

const MESSAGE_BYTES = 4 * 1024 * 1024;
const ATTEMPTS = 300;
const LONG_LABELS = Object.fromEntries(
  Array.from({ length: 32 }, (_, label) => [`l${label}`, "x".repeat(256)]),
);

let world: EngineWorld;
let id: string;
beforeAll(async () => {
  world = await engineWorld();
  id = (await world.ask("submitJob", { task: "large", labels: LONG_LABELS })).job?.id ?? "";
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    await world.ask("leaseJobs", { tasks: ["large"], worker: "w", waitSeconds: 5 });
    const lease = { jobId: id, leaseEpoch: attempt };
    const { outcomes } = await world.ask("releaseAttempts", { leases: [lease] });
    expect(outcomes).toMatchObject([{ ok: true }]);
  }
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

test("a history of large events comes in pages that are shorter than asked for, and leaves none out", async () => {
  const versions: number[] = [];
  let pages = 0;
  for (let pageToken: string | undefined; pageToken !== ""; pages += 1) {
    const page = await world.ask("listJobEvents", { id, pageSize: 1_000, pageToken: pageToken ?? "" });
    expect(toBinary(ListJobEventsResponseSchema, page).length).toBeLessThan(MESSAGE_BYTES);
    versions.push(...page.events.map(({ aggregateVersion }) => aggregateVersion));
    pageToken = page.nextPageToken;
  }
  expect(versions).toEqual(Array.from({ length: 2 * ATTEMPTS + 1 }, (_, version) => version + 1));
  expect(pages).toBeGreaterThan(1);
});

test("all attempts are listed, and where their messages are too large together each is cut, and says so", async () => {
  const failed = ATTEMPTS + 1;
  await world.ask("leaseJobs", { tasks: ["large"], worker: "w", waitSeconds: 5 });
  const error = { type: "E", message: "ü".repeat(10_000), retryable: true };
  await world.ask("failAttempts", { results: [{ jobId: id, leaseEpoch: failed, error }] });
  const text = `update attempt set error_type = kept.error_type, error_message = kept.error_message,
      error_retryable = kept.error_retryable
    from attempt kept where attempt.job_id = $1 and kept.job_id = $1 and kept.attempt = $2`;
  await world.administrator().query({ name: "test.messages", text }, [id, failed]);
  const answer = await world.ask("listJobAttempts", { id });
  expect(toBinary(ListJobAttemptsResponseSchema, answer).length).toBeLessThan(MESSAGE_BYTES);
  expect(answer.attempts.map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: failed }, (_, attempt) => attempt + 1),
  );
  for (const attempt of answer.attempts)
    expect(attempt.error?.message).toMatch(/^ü+ … \(cut: 20000 bytes in all\)$/);
});

test("workers that name all that they may do not make their list too large: it is cut, and says so", async () => {
  const names = (kind: string) =>
    Array.from({ length: 100 }, (_, index) => `${kind}${index}`.padEnd(128, "x"));
  const [tasks, queues] = [names("task"), names("queue")];
  const workers = Array.from({ length: 200 }, (_, index) => `worker-${String(index).padStart(3, "0")}`);
  for (const worker of workers) await world.ask("leaseJobs", { tasks, queues, worker });
  await eventually(async () => {
    const text = "select count(*)::int as seen from worker where name like 'worker-%'";
    const [found] = await world.pool.query<{ seen: number }>({ name: "test.workers", text }, []);
    expect(found?.seen).toBe(workers.length);
  });
  const answer = await world.ask("listWorkers", {});
  expect(toBinary(ListWorkersResponseSchema, answer).length).toBeLessThan(MESSAGE_BYTES);
  expect(answer.workers.length).toBeGreaterThan(50);
  expect(answer.workers.length).toBeLessThan(workers.length);
  expect(answer.totalSize).toBeGreaterThanOrEqual(workers.length);
});
