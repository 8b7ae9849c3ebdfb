import { expect, test } from "@jest/globals";
import type { Job, Worker } from "../../src/api/contract.ts";
import { whyOfJob, whyOfMission } from "../../src/domain/why-line.ts";
import { workerLook } from "../../src/domain/worker-look.ts";
import { sampleJob } from "../stand-in/sample-jobs.ts";
import { sampleMission } from "../stand-in/sample-missions.ts";

const { blocked: _, error: __, ...plain } = sampleJob(5);
const job = (about: Partial<Job>): Job => ({
  ...plain,
  queue: "media",
  task: "render",
  status: "QUEUED",
  ...about,
});
const worker = (about: Partial<Worker>): Worker => ({
  worker: "w",
  tasks: ["render"],
  queues: [],
  slots: 1,
  leases: 0,
  draining: false,
  ...about,
});

test("the platform's own reason is said before any other", () => {
  const why = whyOfJob(job({ blocked: { reason: "NO_WORKER", message: "Nobody serves it." } }));
  expect(why).toEqual({ tone: "warn", text: "Nobody serves it." });
});

test("nothing is claimed of a job that waits before the platform has said it", () => {
  for (const status of ["QUEUED", "SCHEDULED", "RETRYING"] as const)
    expect(whyOfJob(job({ status }))).toBeUndefined();
});

test("a failed job tells an error that is not retryable from one that used up its attempts", () => {
  const failed = (retryable: boolean) =>
    whyOfJob(job({ status: "FAILED", attempt: 5, error: { type: "T", message: "m", retryable } }))?.text;
  expect(failed(false)).toContain("not retryable");
  expect(failed(true)).toContain("no attempt is left (5 of 5)");
});

test("a mission that needs somebody says what for, and what to do", () => {
  expect(whyOfMission(sampleMission(1))?.text).toMatch(/charge: UNDO_FAILED: .* — retry or resolve it/);
  expect(whyOfMission(sampleMission(2))?.text).toContain("still have to be undone");
  expect(whyOfMission(sampleMission(4))).toBeUndefined();
});

test("a mission whose step waits for a worker says so, before what passes by itself", () => {
  const backoff = { reason: "RETRY_BACKOFF", message: "Attempt 2 failed." } as const;
  const retrying = job({ step: "reserve", status: "RETRYING", blocked: backoff });
  const unserved = job({ step: "charge", blocked: { reason: "NO_WORKER", message: "Nobody serves it." } });
  expect(whyOfMission(sampleMission(0), [retrying, unserved])).toEqual({
    tone: "warn",
    text: "Now at charge. charge waits: Nobody serves it.",
  });
  expect(whyOfMission(sampleMission(0), [retrying])?.text).toMatch(/reserve waits: Attempt 2 failed/);
  expect(whyOfMission(sampleMission(4), [unserved])).toBeUndefined();
});

test("a busy worker that missed three heartbeats is silent, and an idle one in a long poll is not", () => {
  const seen = { lastSeenTime: "2026-01-01T00:00:00Z" };
  const laterMs = Date.parse(seen.lastSeenTime) + 20_000;
  expect(workerLook(worker({ ...seen, leases: 1 }), laterMs).word).toBe("silent");
  expect(workerLook(worker({ ...seen }), laterMs).word).toBe("idle");
});
