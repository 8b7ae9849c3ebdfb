import { describe, expect, test } from "@jest/globals";
import { readEnd } from "../../../src/adapters/events/job-end.ts";
import { hear } from "../../../src/adapters/events/job-ends.ts";

const ID = "01a1fd6c-2a40-7000-8000-00000000000b";
const event = (job: object, attempt?: object, envelope: object = {}): string =>
  JSON.stringify({
    contractVersion: "1.0.0",
    version: "1.0.0",
    ...envelope,
    payload: {
      job: { id: ID, missionId: "m-1", version: 3, attempt: 1, ...job },
      ...(attempt && { attempt }),
    },
  });
const ended = (end: object) => ({ kind: "end", known: { jobId: ID, version: 3, end } });
const failedWith = (unknown: boolean, error: object) => ended({ kind: "failed", unknown, error });

describe("the event that ended a job", () => {
  test.each<[string, string, object]>([
    [
      "a success with its output",
      event({ status: "SUCCEEDED", output: { n: 1 } }),
      ended({ kind: "succeeded", outputText: '{"n":1}' }),
    ],
    [
      "a success that returned null",
      event({ status: "SUCCEEDED", output: null }),
      ended({ kind: "succeeded", outputText: "null" }),
    ],
    [
      "a failure by its worker's word",
      event(
        { status: "FAILED", error: { type: "T", message: "m" } },
        { status: "FAILED", error: { type: "T" } },
      ),
      failedWith(false, { type: "T", message: "m" }),
    ],
    [
      "a loss",
      event({ status: "FAILED", error: { type: "LEASE_EXPIRED", message: "m" } }, { status: "LOST" }),
      failedWith(true, { type: "LEASE_EXPIRED", message: "m" }),
    ],
    [
      "a time-out",
      event(
        { status: "FAILED", error: { type: "TIMEOUT", message: "m" } },
        { status: "FAILED", error: { type: "TIMEOUT" } },
      ),
      failedWith(true, { type: "TIMEOUT", message: "m" }),
    ],
    [
      "a cancellation before it ran",
      event({ status: "CANCELLED", attempt: 0 }),
      failedWith(false, { type: "CANCELLED", message: "its job ended CANCELLED" }),
    ],
  ])("tells of %s", (_, text, reading) => {
    expect(readEnd(text)).toEqual(reading);
  });

  test.each([
    ["a success without an output", event({ status: "SUCCEEDED" })],
    ["a failure after several attempts", event({ status: "FAILED", attempt: 2 }, { status: "FAILED" })],
    ["a failure without its attempt", event({ status: "FAILED" })],
  ])("is not enough for %s: the job is asked about", (_, text) => {
    expect(readEnd(text)).toEqual({ kind: "ask", jobId: ID });
  });

  test.each([
    ["without a mission", event({ status: "SUCCEEDED", missionId: "" })],
    [
      "without a mission, whose output speaks of one",
      event({ status: "SUCCEEDED", missionId: "", output: { missionId: "x" } }),
    ],
    ["that is not looked into", '{"missionId":""'],
  ])("of a job %s is no concern of missions", (_, text) => {
    expect(readEnd(text)).toEqual({ kind: "other" });
  });

  test.each([
    ["is cut off", '{"missionId":"m"'],
    ["is of a newer major version", event({}, undefined, { version: "2.0.0" })],
    ["is of a newer envelope", event({}, undefined, { contractVersion: "2.0.0" })],
    ["holds no job", '{"contractVersion":"1.0.0","version":"1.0.0","payload":{"missionId":"m"}}'],
    ["holds a job without a version", event({ version: "x" })],
    ["holds a job without an id", event({ id: "" })],
  ])("is a dead letter where it %s", async (_, text) => {
    expect(readEnd(text).kind).toBe("unreadable");
    const parts = { takeIn: () => Promise.resolve(), ask: () => Promise.resolve() };
    const [verdict] = await hear(parts, [{ text: () => text }]);
    expect(verdict).toHaveProperty("deadLetter");
  });
});
