import { describe, expect, test } from "@jest/globals";
import { expire, obey, promote } from "../../src/domain/job-decisions.ts";
import type { JobStatus } from "../../src/domain/job-state.ts";
import { aHeldJob, aJob, NOW } from "../job-factory.ts";

const command = (kind: "cancel" | "retry") => ({ kind, reason: "because", byMission: false });
const alone = (status: JobStatus, changes = {}) => ({
  job: aJob(status, changes),
  lease: undefined,
  attempt: undefined,
});

describe("a caller's command", () => {
  test.each([
    ["cancel", "SUCCEEDED", "JOB_ALREADY_FINISHED"],
    ["cancel", "FAILED", "JOB_ALREADY_FINISHED"],
    ["cancel", "EXPIRED", "JOB_ALREADY_FINISHED"],
    ["retry", "SCHEDULED", "JOB_NOT_RETRYABLE"],
    ["retry", "QUEUED", "JOB_NOT_RETRYABLE"],
    ["retry", "RUNNING", "JOB_NOT_RETRYABLE"],
    ["retry", "RETRYING", "JOB_NOT_RETRYABLE"],
    ["retry", "SUCCEEDED", "JOB_NOT_RETRYABLE"],
  ] as const)("to %s a job that is %s is refused", (kind, status, reason) => {
    expect(obey(aJob(status), "demo", command(kind), NOW)).toEqual({ kind: "refused", reason });
  });

  test("about an unknown job or another project's is NOT_FOUND alike", () => {
    const refusal = { kind: "refused", reason: "NOT_FOUND" };
    expect(obey(undefined, "demo", command("cancel"), NOW)).toEqual(refusal);
    expect(obey(aJob("QUEUED"), "second", command("cancel"), NOW)).toEqual(refusal);
  });

  test("about a job of a mission is the mission's to give", () => {
    for (const kind of ["cancel", "retry"] as const)
      expect(obey(aJob("FAILED", { missionId: "m" }), "demo", command(kind), NOW)).toEqual({
        kind: "refused",
        reason: "JOB_OWNED_BY_MISSION",
      });
  });

  test.each(["SCHEDULED", "QUEUED", "RETRYING"] as const)(
    "to cancel ends a job that is %s at once",
    (status) => {
      expect(obey(aJob(status), "demo", command("cancel"), NOW)).toMatchObject({
        step: { fact: "JobCancelled", job: { status: "CANCELLED", endMs: NOW, reason: "because" } },
      });
    },
  );

  test("to cancel a running job asks its worker, once", () => {
    expect(obey(aJob("RUNNING"), "demo", command("cancel"), NOW)).toMatchObject({
      step: { fact: "JobCancelRequested", job: { status: "RUNNING", cancelRequestMs: NOW } },
    });
    const asked = aJob("RUNNING", { cancelRequestMs: NOW - 5 });
    expect(obey(asked, "demo", command("cancel"), NOW)).toEqual({ kind: "same" });
    expect(obey(aJob("CANCELLED"), "demo", command("cancel"), NOW)).toEqual({ kind: "same" });
  });

  test.each(["FAILED", "CANCELLED", "EXPIRED"] as const)(
    "to retry a job that is %s starts it over",
    (status) => {
      const job = aJob(status, {
        attempt: 4,
        released: 1,
        expireMs: NOW - 1,
        cancelRequestMs: NOW - 2,
        failures: 3,
      });
      expect(obey(job, "demo", command("retry"), NOW)).toMatchObject({
        step: {
          fact: "JobQueued",
          job: {
            status: "QUEUED",
            attempt: 4,
            maxAttempts: 8,
            failures: 0,
            runMs: NOW,
            endMs: undefined,
            startMs: undefined,
            error: undefined,
            expireMs: undefined,
            cancelRequestMs: undefined,
          },
        },
      });
    },
  );

  test("to retry keeps an expireTime that is still to come", () => {
    const job = aJob("FAILED", { expireMs: NOW + 1 });
    expect(obey(job, "demo", command("retry"), NOW)).toMatchObject({ step: { job: { expireMs: NOW + 1 } } });
  });
});

describe("the passing of time", () => {
  test.each(["SCHEDULED", "RETRYING"] as const)(
    "I21: queues a job that is %s at its time, and not before",
    (status) => {
      expect(promote(aJob(status, { runMs: NOW + 1 }), NOW)).toEqual({ kind: "same" });
      expect(promote(aJob(status, { runMs: NOW }), NOW)).toMatchObject({ step: { fact: "JobQueued" } });
    },
  );

  test.each(["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"] as const)(
    "promotes nothing that is %s",
    (status) => expect(promote(aJob(status), NOW)).toEqual({ kind: "same" }),
  );

  test.each(["SCHEDULED", "QUEUED", "RETRYING"] as const)(
    "expires a job that is %s at its expireTime",
    (status) => {
      expect(expire(alone(status, { expireMs: NOW + 1 }), NOW)).toEqual({ kind: "same" });
      expect(expire(alone(status, { expireMs: NOW }), NOW)).toMatchObject({
        step: { fact: "JobExpired", attempt: undefined, job: { endMs: NOW } },
      });
    },
  );

  test("expires a running job, whose attempt is lost", () => {
    expect(expire(aHeldJob({ expireMs: NOW }), NOW)).toMatchObject({
      step: { fact: "JobExpired", attempt: { status: "LOST", attempt: 1 } },
    });
  });

  test("expires nothing that has ended or has no expireTime", () => {
    expect(expire(alone("SUCCEEDED", { expireMs: NOW - 1 }), NOW)).toEqual({ kind: "same" });
    expect(expire(alone("QUEUED"), NOW)).toEqual({ kind: "same" });
  });
});
