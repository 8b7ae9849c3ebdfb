import { describe, expect, test } from "@jest/globals";
import { file_orrery_jobs_v1_job_events as eventsFile } from "@orrery/contracts/gen/orrery/jobs/v1/job_events_pb.js";
import { Job_Status, JobAttempt_Status } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import { step } from "../../src/domain/job.ts";
import {
  ATTEMPT_STATUSES,
  canFollow,
  ENDS,
  type FactName,
  hasEnded,
  JOB_STATUSES,
  NEXT,
  OPEN,
  STATUS_AFTER,
} from "../../src/domain/job-state.ts";
import { aJob, NOW } from "../job-factory.ts";

const named = (values: object): string[] =>
  Object.keys(values).filter((key) => Number.isNaN(Number(key)) && key !== "STATUS_UNSPECIFIED");

describe("the table of a job's steps", () => {
  test("names the statuses of the contract, and no others", () => {
    expect([...JOB_STATUSES].sort()).toEqual(named(Job_Status).sort());
    expect([...ATTEMPT_STATUSES].sort()).toEqual(named(JobAttempt_Status).sort());
    expect([...OPEN, ...ENDS].sort()).toEqual([...JOB_STATUSES].sort());
  });

  test("names a fact for each event of the contract, and no others", () => {
    expect(Object.keys(STATUS_AFTER).sort()).toEqual(eventsFile.messages.map(({ name }) => name).sort());
  });

  test("I3: a success is left by nothing, and every other end by a retry alone", () => {
    expect(NEXT.SUCCEEDED).toEqual([]);
    for (const end of ENDS) if (end !== "SUCCEEDED") expect(NEXT[end]).toEqual(["QUEUED"]);
    expect(ENDS.every(hasEnded)).toBe(true);
    expect(OPEN.some(hasEnded)).toBe(false);
  });

  test.each(
    JOB_STATUSES.flatMap((from) =>
      Object.keys(STATUS_AFTER).map((fact) => ({ from, fact: fact as FactName })),
    ),
  )("I3: $fact after $from happens if the table has it, and is a defect if not", ({ from, fact }) => {
    const job = aJob(from);
    if (!canFollow(from, STATUS_AFTER[fact])) {
      expect(() => step(job, fact, NOW, {})).toThrow("cannot follow");
      return;
    }
    const decision = step(job, fact, NOW, {});
    expect(decision).toMatchObject({ kind: "step", step: { from, fact, occurredMs: NOW } });
    if (decision.kind === "step") {
      expect(decision.step.job.status).toBe(STATUS_AFTER[fact]);
      expect(decision.step.job.version).toBe(job.version + 1);
    }
  });
});
