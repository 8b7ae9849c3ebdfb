import { describe, expect, test } from "@jest/globals";
import { readEvent } from "../../../src/adapters/events/event-reader.ts";
import { eventText } from "../../event-factory.ts";
import { NOON_MS, uuidAt } from "../../projection-factory.ts";

const ID = uuidAt(NOON_MS, 1);
const QUEUED = { id: ID, version: 1, name: "JobQueued", timeMs: NOON_MS };

describe("an event about a job", () => {
  test("becomes a document without input and output, and an event as it came", () => {
    const text = eventText(QUEUED, { input: { a: 1 }, output: [2], labels: { team: "Red" } });
    const reading = readEvent(text);
    if (!("projection" in reading)) throw new Error(reading.deadLetter);
    const { job, event } = reading.projection;
    expect(JSON.parse(job.body)).not.toHaveProperty("input");
    expect(JSON.parse(job.body)).not.toHaveProperty("output");
    expect(job).toMatchObject({ id: ID, project: "demo", version: 1, failure: undefined });
    expect(job.keys.keywords).toMatchObject({ task: "video.render", status: "queued" });
    expect(job.keys.labels).toEqual({ team: "red" });
    expect(event.envelope).toBe(text);
    expect(event.keys.keywords.event).toBe("jobqueued");
  });

  test("of a failure is grouped by task and error type, and knows the worker of its attempt", () => {
    const error = { type: "Timeout", message: "too slow" };
    const job = {
      status: "FAILED",
      error,
      startTime: "2026-11-20T12:00:01Z",
      endTime: "2026-11-20T12:00:03.5Z",
    };
    const attempt = { attempt: 1, status: "FAILED", worker: "W-1" };
    const reading = readEvent(eventText({ ...QUEUED, version: 3, name: "JobFailed" }, job, { attempt }));
    if (!("projection" in reading)) throw new Error(reading.deadLetter);
    expect(reading.projection.job.failure).toBe('["video.render","Timeout"]');
    expect(reading.projection.job.keys.keywords.worker).toBe("w-1");
    expect(reading.projection.job.keys.numbers).toMatchObject({ wait: 1_000, duration: 2_500 });
  });

  test.each<readonly [string, string]>([
    ["not JSON", "{"],
    ["no object", "[]"],
    ["an unknown event", eventText({ ...QUEUED, name: "JobPaused" })],
    ["another context", eventText(QUEUED, {}, { told: { eventType: "orrery.events.v1.alerts.JobQueued" } })],
    ["a newer major version of the envelope", eventText(QUEUED, {}, { told: { contractVersion: "2.0.0" } })],
    ["a newer major version of the payload", eventText(QUEUED, {}, { told: { version: "2.1.0" } })],
    ["no payload", eventText(QUEUED, {}, { told: { payload: undefined } })],
    ["a payload without a job", eventText(QUEUED, {}, { told: { payload: {} } })],
    ["another job in it", eventText(QUEUED, { id: uuidAt(NOON_MS, 2) })],
    ["no project", eventText(QUEUED, {}, { told: { projectId: "" } })],
    ["version 0", eventText({ ...QUEUED, version: 0 })],
    ["an unknown status", eventText(QUEUED, { status: "PAUSED" })],
    ["a time that is none", eventText(QUEUED, { startTime: "soon" })],
    ["a count that is none", eventText(QUEUED, { priority: "high" })],
  ])("with %s is a dead letter and throws nothing", (_what, text) => {
    expect(readEvent(text)).toEqual({ deadLetter: expect.stringMatching(/\w/) });
  });

  test("a newer minor version is read, and what it adds is kept", () => {
    const reading = readEvent(eventText(QUEUED, { added: true }, { told: { version: "1.7.0" } }));
    if (!("projection" in reading)) throw new Error(reading.deadLetter);
    expect(JSON.parse(reading.projection.job.body)).toHaveProperty("added", true);
  });
});
