import { describe, expect, test } from "@jest/globals";
import { blocked, type Surroundings } from "../../src/domain/blocked.ts";
import { ENDS } from "../../src/domain/job-state.ts";
import { aJob, NOW } from "../job-factory.ts";

const FREE: Surroundings = {
  paused: false,
  limits: { concurrency: 0, concurrencyPerKey: 0, rateLimit: 0, ratePeriodMs: 1_000 },
  running: 0,
  runningWithKey: 0,
  starts: 0,
  rateFreeMs: undefined,
  workers: 1,
  builtIn: [],
  position: 1,
};

describe("why a job is not running", () => {
  test.each(["RUNNING", ...ENDS] as const)("is not said of a job that is %s", (status) => {
    expect(blocked(aJob(status), FREE)).toBeUndefined();
  });

  test("is its time, where it waits for one", () => {
    expect(blocked(aJob("SCHEDULED"), undefined)).toMatchObject({
      reason: "SCHEDULED",
      untilMs: NOW + 5_000,
    });
    expect(blocked(aJob("RETRYING"), undefined)).toMatchObject({
      reason: "RETRY_BACKOFF",
      untilMs: NOW + 5_000,
    });
  });

  test.each([
    ["WAITING_FOR_SLOT", {}],
    ["QUEUE_PAUSED", { paused: true, workers: 0 }],
    ["NO_WORKER", { workers: 0, running: 5, limits: { ...FREE.limits, concurrency: 5 } }],
    ["CONCURRENCY_LIMIT", { running: 5, limits: { ...FREE.limits, concurrency: 5 } }],
    ["WAITING_FOR_SLOT", { running: 4, limits: { ...FREE.limits, concurrency: 5 } }],
    ["CONCURRENCY_LIMIT", { runningWithKey: 1, limits: { ...FREE.limits, concurrencyPerKey: 1 } }],
    ["RATE_LIMIT", { starts: 2, rateFreeMs: NOW, limits: { ...FREE.limits, rateLimit: 2 } }],
  ] as const)("is %s with %j around", (reason, around) => {
    const job = aJob("QUEUED", { concurrencyKey: "k" });
    const why = blocked(job, { ...FREE, ...around });
    expect(why?.reason).toBe(reason);
    expect(why?.message).toMatch(/^[A-Z].+[.]$/);
  });

  test.each([
    [
      "video.render",
      [],
      'start one, which asks for work by POST /v1/work:lease with {"tasks":["video.render"]',
    ],
    ["orrery.echo", [], 'only the platform\'s own may; "npx orrery doctor" says'],
    ["orrery.eco", ["orrery.echo", "orrery.fail"], "there are orrery.echo, orrery.fail."],
  ])("says what to do where nobody serves %s", (task, builtIn, words) => {
    const why = blocked(aJob("QUEUED", { task }), { ...FREE, workers: 0, builtIn });
    expect(why).toMatchObject({ reason: "NO_WORKER", message: expect.stringContaining(words) });
  });

  test("is no full key for a job without one", () => {
    const around = { ...FREE, runningWithKey: 9, limits: { ...FREE.limits, concurrencyPerKey: 1 } };
    expect(blocked(aJob("QUEUED"), around)?.reason).toBe("WAITING_FOR_SLOT");
  });

  test.each([
    [1, "next in its queue"],
    [2, "1 job is ahead"],
    [3, "2 jobs are ahead"],
    [1_000, "At least 999 jobs"],
  ])("says at position %d: %s", (position, words) => {
    expect(blocked(aJob("QUEUED"), { ...FREE, position })).toMatchObject({
      position,
      message: expect.stringContaining(words),
    });
  });
});
