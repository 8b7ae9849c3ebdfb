import { describe, expect, test } from "@jest/globals";
import { checkTimes, PLAN_AHEAD_MS, submit } from "../../src/domain/submission.ts";
import { aSubmission, JOB_ID, NOW } from "../job-factory.ts";

describe("a submission", () => {
  test.each([
    ["at once", "now", "JobQueued", NOW],
    ["at a time that has passed", { atMs: NOW - 5 }, "JobQueued", NOW],
    ["with no delay", { afterMs: 0 }, "JobQueued", NOW],
    ["after a delay", { afterMs: 1 }, "JobScheduled", NOW + 1],
    ["at a time", { atMs: NOW + 1 }, "JobScheduled", NOW + 1],
  ] as const)("to run %s becomes the right first fact", (_when, start, fact, runMs) => {
    const made = submit(aSubmission({ start }), JOB_ID, NOW);
    expect(made).toMatchObject({ from: undefined, fact, occurredMs: NOW });
    expect(made.job).toMatchObject({
      id: JOB_ID,
      version: 1,
      attempt: 0,
      runMs,
      createMs: NOW,
      attemptsSubmitted: 5,
    });
  });

  test.each([
    [{ start: { atMs: NOW + PLAN_AHEAD_MS } }, []],
    [{ start: { atMs: NOW + PLAN_AHEAD_MS + 1 } }, ["runTime"]],
    [{ expireMs: NOW }, ["expireTime"]],
    [{ expireMs: NOW + 1 }, []],
    [{ expireMs: NOW + PLAN_AHEAD_MS + 1 }, ["expireTime"]],
    [{ expireMs: NOW - 1, start: { atMs: NOW + PLAN_AHEAD_MS + 1 } }, ["runTime", "expireTime"]],
  ])("with %j is at fault in %j", (changes, fields) => {
    expect(checkTimes(aSubmission(changes), NOW).map(({ field }) => field)).toEqual(fields);
  });
});
