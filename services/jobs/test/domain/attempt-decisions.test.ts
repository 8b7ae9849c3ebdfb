import { describe, expect, test } from "@jest/globals";
import { giveUpWaiting, grant, hear, lose, timeOut, type Word } from "../../src/domain/attempt-decisions.ts";
import type { Decision, Job } from "../../src/domain/job.ts";
import { ANN, aFailure, aHeldJob, aJob, anEndedAttempt, aWord, NOW } from "../job-factory.ts";

const AT = { nowMs: NOW, chance: 0.5 };
const COMPLETE: Word = { kind: "complete" };
const RELEASE: Word = { kind: "release" };

function stepOf(decision: Decision) {
  if (decision.kind !== "step") throw new Error(`no step, but ${JSON.stringify(decision)}`);
  return decision.step;
}

describe("a grant", () => {
  test("I4: begins the next attempt, which counts whatever becomes of it", () => {
    const { job, fact, attempt } = stepOf(
      grant(aJob("QUEUED", { attempt: 2 }), { worker: "w", principal: "ann" }, NOW),
    );
    expect([fact, job.status, job.attempt]).toEqual(["JobStarted", "RUNNING", 3]);
    expect(attempt).toMatchObject({
      attempt: 3,
      status: "RUNNING",
      worker: "w",
      principal: "ann",
      startMs: NOW,
    });
  });

  test("never starts before the job was created, though two clocks may disagree", () => {
    const job = aJob("QUEUED", { createMs: NOW + 3 });
    expect(stepOf(grant(job, { worker: "w", principal: "ann" }, NOW)).occurredMs).toBe(NOW + 3);
  });
});

describe("a worker's word", () => {
  test.each([
    ["nobody knows the job", undefined, ANN, COMPLETE, "NOT_FOUND"],
    ["the job is another project's", aHeldJob(), { ...ANN, project: "second" }, COMPLETE, "NOT_FOUND"],
    ["somebody else holds the lease", aHeldJob(), { ...ANN, principal: "bob" }, COMPLETE, "LEASE_FOREIGN"],
    ["I7: a later attempt holds the lease", aHeldJob({ attempt: 2 }), ANN, COMPLETE, "LEASE_LOST"],
    [
      "the lease row is of an older attempt",
      { ...aHeldJob(), job: aJob("RUNNING", { attempt: 2 }) },
      ANN,
      COMPLETE,
      "LEASE_LOST",
    ],
    [
      "the job is queued again",
      { job: aJob("QUEUED", { attempt: 1 }), lease: undefined, attempt: undefined },
      ANN,
      COMPLETE,
      "LEASE_LOST",
    ],
    ["nobody asked to cancel", aHeldJob(), ANN, aFailure({ cancelled: true }), "CANCEL_NOT_REQUESTED"],
    [
      "the attempt ended with another word",
      { job: aJob("SUCCEEDED"), lease: undefined, attempt: anEndedAttempt() },
      ANN,
      aFailure(),
      "LEASE_LOST",
    ],
    [
      "the attempt was lost, which no word ended",
      {
        job: aJob("QUEUED", { attempt: 1 }),
        lease: undefined,
        attempt: anEndedAttempt({ status: "LOST", digest: "" }),
      },
      ANN,
      COMPLETE,
      "LEASE_LOST",
    ],
    [
      "somebody else repeats what ended it",
      { job: aJob("SUCCEEDED"), lease: undefined, attempt: anEndedAttempt() },
      { ...ANN, principal: "bob" },
      COMPLETE,
      "LEASE_FOREIGN",
    ],
  ] as const)("is refused when %s", (_when, held, by, word, reason) => {
    expect(hear(held, aWord(word), by, AT)).toEqual({ kind: "refused", reason });
  });

  test("that was accepted before is accepted again, and changes nothing", () => {
    const held = { job: aJob("SUCCEEDED"), lease: undefined, attempt: anEndedAttempt() };
    expect(hear(held, aWord(COMPLETE), ANN, AT)).toEqual({ kind: "same" });
  });

  test("is taken from the platform for a job of any project", () => {
    const held = aHeldJob({ project: "second" });
    expect(hear(held, aWord(COMPLETE), { project: undefined, principal: "ann" }, AT).kind).toBe("step");
  });

  test.each([
    ["complete", COMPLETE, {}, "JobSucceeded", "SUCCEEDED"],
    ["complete while a cancel is asked for", COMPLETE, { cancelRequestMs: NOW }, "JobSucceeded", "SUCCEEDED"],
    ["fail with attempts left", aFailure(), {}, "JobRetrying", "FAILED"],
    ["fail at the last attempt", aFailure(), { maxAttempts: 1 }, "JobFailed", "FAILED"],
    [
      "fail at the last that counts",
      aFailure(),
      { maxAttempts: 1, attempt: 3, released: 2 },
      "JobFailed",
      "FAILED",
    ],
    [
      "fail with released ones left over",
      aFailure(),
      { maxAttempts: 2, attempt: 3, released: 2 },
      "JobRetrying",
      "FAILED",
    ],
    [
      "fail for good",
      aFailure({ error: { type: "BAD", message: "", retryable: false } }),
      {},
      "JobFailed",
      "FAILED",
    ],
    ["fail while a cancel is asked for", aFailure(), { cancelRequestMs: NOW }, "JobCancelled", "FAILED"],
    [
      "cancelled while a cancel is asked for",
      aFailure({ cancelled: true }),
      { cancelRequestMs: NOW },
      "JobCancelled",
      "CANCELLED",
    ],
    ["release", RELEASE, {}, "JobAttemptReleased", "RELEASED"],
    ["release while a cancel is asked for", RELEASE, { cancelRequestMs: NOW }, "JobCancelled", "RELEASED"],
  ] as const)("I5: %s ends the attempt once", (_name, word, changes: Partial<Job>, fact, status) => {
    const held = aHeldJob(changes);
    const said = aWord(word, { epoch: held.job.attempt });
    const taken = stepOf(hear(held, said, ANN, AT));
    expect(taken.fact).toBe(fact);
    expect(taken.attempt).toMatchObject({
      status,
      attempt: held.job.attempt,
      endMs: NOW,
      digest: said.digest,
    });
  });

  test("of success clears the error of the attempt before", () => {
    const held = aHeldJob({ error: { type: "BROKEN", message: "no", retryable: true } });
    expect(stepOf(hear(held, aWord(COMPLETE), ANN, AT)).job.error).toBeUndefined();
  });

  test("of failure sets the time of the next attempt by the policy, or by its own retryAfter", () => {
    expect(stepOf(hear(aHeldJob(), aWord(aFailure()), ANN, AT)).job.runMs).toBe(NOW + 1_000);
    const later = aFailure({ retryAfterMs: 70_000 });
    expect(stepOf(hear(aHeldJob(), aWord(later), ANN, AT)).job.runMs).toBe(NOW + 70_000);
  });
});

describe("the sweeper", () => {
  test("leaves a lease alone until the moment that it ends", () => {
    expect(lose(aHeldJob({}, NOW + 1), NOW)).toEqual({ kind: "same" });
    expect(stepOf(lose(aHeldJob({}, NOW), NOW)).fact).toBe("JobAttemptLost");
  });

  test.each([
    ["attempts left", {}, "JobAttemptLost"],
    ["none left", { maxAttempts: 1 }, "JobFailed"],
    ["a request to cancel", { cancelRequestMs: NOW }, "JobCancelled"],
  ] as const)("decides about a lost attempt with %s", (_name, changes, fact) => {
    const taken = stepOf(lose(aHeldJob(changes, NOW), NOW));
    expect(taken.fact).toBe(fact);
    expect(taken.attempt).toMatchObject({ status: "LOST", error: { type: "LEASE_EXPIRED" } });
  });

  test("counts no failure and keeps the place in the queue when an attempt is lost", () => {
    const held = aHeldJob({ failures: 2 }, NOW);
    expect(stepOf(lose(held, NOW)).job).toMatchObject({ failures: 2, runMs: held.job.runMs });
  });

  test("fails an attempt at its timeout, and not before", () => {
    const held = aHeldJob({ startMs: NOW - 10_000, timeoutMs: 10_000 });
    expect(timeOut(held, { nowMs: NOW - 1, chance: 0 })).toEqual({ kind: "same" });
    const taken = stepOf(timeOut(held, AT));
    expect([taken.fact, taken.job.error?.type, taken.attempt?.status]).toEqual([
      "JobRetrying",
      "TIMEOUT",
      "FAILED",
    ]);
  });

  test("waits 10 seconds for the answer to a request to cancel", () => {
    expect(giveUpWaiting(aHeldJob({ cancelRequestMs: NOW - 9_999 }), NOW)).toEqual({ kind: "same" });
    const taken = stepOf(giveUpWaiting(aHeldJob({ cancelRequestMs: NOW - 10_000 }), NOW));
    expect([taken.fact, taken.attempt?.status]).toEqual(["JobCancelled", "LOST"]);
  });

  test("does nothing to a job that does not run", () => {
    const held = { job: aJob("QUEUED"), lease: undefined, attempt: undefined };
    expect([lose(held, NOW), timeOut(held, AT), giveUpWaiting(held, NOW)]).toEqual(
      Array(3).fill({ kind: "same" }),
    );
  });
});
