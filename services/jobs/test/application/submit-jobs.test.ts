import { describe, expect, test } from "@jest/globals";
import { Fault } from "@orrery/mesh/fault/fault";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { createSubmitJobs, type SubmitDeps } from "../../src/application/submit-jobs.ts";
import { aSubmission } from "../job-factory.ts";

const nothing = (): void => undefined;

/** Submissions whose transactions end in turn as told; a database does not fail one of two on demand. */
function submitting(ends: readonly (Fault | undefined)[]) {
  const left = [...ends];
  const deps = {
    jobs: { insertAll: nothing },
    facts: { appendAll: nothing },
    queues: { register: nothing, withoutRoom: () => Promise.resolve([]) },
    keys: {},
    inTransaction: async (work: (tx: object) => unknown) => {
      const end = left.shift();
      if (end !== undefined) throw end;
      return work({});
    },
    clock: new ManualClock(),
    announcements: { announce: nothing },
    encodeJob: () => new Uint8Array(),
  };
  const submits = createSubmitJobs(deps as unknown as SubmitDeps);
  const item = { submission: aSubmission(), principal: "ann", inputText: undefined, keyed: undefined };
  return () => submits.submitAll(Array.from({ length: 600 }, () => item));
}

describe("more jobs than one transaction takes", () => {
  const overloaded = new Fault("OVERLOADED", { detail: "too much waits", retryAfterMs: 1_000 });

  test("a transaction that fails concerns its own jobs: the others are told that they are taken", async () => {
    const results = await submitting([undefined, overloaded])();
    expect(results.slice(0, 500).every((result) => "job" in result)).toBe(true);
    expect(results.slice(500)).toEqual(Array.from({ length: 100 }, () => overloaded));
  });

  test("where all fail, the call fails", async () => {
    await expect(submitting([overloaded, overloaded])()).rejects.toBe(overloaded);
  });
});
