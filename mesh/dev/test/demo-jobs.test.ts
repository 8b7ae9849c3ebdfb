import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { SubmitJobRequestSchema } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { validateMessage } from "@orrery/mesh/transport/validation";
import { DECK_SIZE, demoJob } from "../src/demo-jobs.ts";

const NOW_MS = Date.UTC(2026, 0, 1);
const jobs = Array.from({ length: DECK_SIZE }, (_, n) => demoJob(n, NOW_MS));

test("the demo submits jobs that the contract takes", () => {
  for (const job of jobs) {
    const request = fromJson(SubmitJobRequestSchema, job as unknown as JsonValue);
    expect([job, validateMessage(SubmitJobRequestSchema, request)]).toEqual([job, []]);
  }
});

test("the demo shows delay, expiry, a paused queue and a task that nobody serves", () => {
  const tasks = new Set(jobs.map(({ task }) => task));
  expect([...tasks].sort()).toEqual(["demo.unserved", "orrery.echo", "orrery.fail", "orrery.sleep"]);
  expect(new Set(jobs.map(({ queue }) => queue))).toEqual(new Set(["default", "reports", "night"]));
  expect(jobs.some(({ delay }) => delay)).toBe(true);
  expect(jobs.some(({ expireTime }) => expireTime)).toBe(true);
});
