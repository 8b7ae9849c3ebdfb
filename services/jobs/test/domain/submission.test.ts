import { describe, expect, test } from "@jest/globals";
import { checkTimes, submit } from "../../src/domain/submission.ts";
import { aSubmission, JOB_ID, NOW } from "../job-factory.ts";

const FIVE_YEARS_LATER = Date.UTC(2031, 10, 21, 9, 0, 0);

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
    [{ start: { atMs: FIVE_YEARS_LATER } }, []],
    [{ expireMs: FIVE_YEARS_LATER }, []],
    [{ start: { atMs: FIVE_YEARS_LATER + 1 } }, ["runTime"]],
    [{ expireMs: NOW }, ["expireTime"]],
    [{ expireMs: NOW + 1 }, []],
    [{ expireMs: FIVE_YEARS_LATER + 1 }, ["expireTime"]],
    [{ expireMs: NOW - 1, start: { atMs: FIVE_YEARS_LATER + 1 } }, ["runTime", "expireTime"]],
  ])("with %j is at fault in %j", (changes, fields) => {
    expect(checkTimes(aSubmission(changes), NOW).map(({ field }) => field)).toEqual(fields);
  });

  test("is planned by the calendar, on a 29 February to the 1 March five years later", () => {
    const at = (atMs: number) => aSubmission({ start: { atMs } });
    const [leapDay, latest] = [Date.UTC(2028, 1, 29), Date.UTC(2033, 2, 1)];
    expect(checkTimes(at(latest), leapDay)).toEqual([]);
    expect(checkTimes(at(latest + 1), leapDay)).toEqual([
      { field: "runTime", description: "must be at most 5 years ahead" },
    ]);
  });
});
