import { describe, expect, test } from "@jest/globals";
import * as alertEvents from "@orrery/contracts/gen/orrery/alerts/v1/alert_events_pb.js";
import * as jobEvents from "@orrery/contracts/gen/orrery/jobs/v1/job_events_pb.js";
import * as missionEvents from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_events_pb.js";
import { alertPart, missionPart } from "../../../src/adapters/events/event-parts.ts";
import { readEvent } from "../../../src/adapters/events/event-reader.ts";
import { jobPart } from "../../../src/adapters/events/job-part.ts";
import { alertText, eventText, missionText } from "../../event-factory.ts";
import { NOON_MS, uuidAt } from "../../projection-factory.ts";

const ID = uuidAt(NOON_MS, 1);
const QUEUED = { id: ID, version: 1, name: "JobQueued", timeMs: NOON_MS };

describe("an event about a job", () => {
  test("becomes a document without input and output, and an event as it came", () => {
    const text = eventText(QUEUED, { input: { a: 1 }, output: [2], labels: { team: "Red" } });
    const reading = readEvent(text);
    if (!("projection" in reading)) throw new Error(reading.deadLetter);
    const { document: job, event } = reading.projection;
    expect(JSON.parse(job.body)).not.toHaveProperty("input");
    expect(JSON.parse(job.body)).not.toHaveProperty("output");
    expect(job).toMatchObject({ id: ID, project: "demo", version: 1, failure: undefined });
    expect(job.keys.keywords).toMatchObject({ task: "video.render", status: "queued" });
    expect(job.keys.labels).toEqual({ team: "red" });
    expect(event?.envelope).toBe(text);
    expect(event?.keys.keywords.event).toBe("jobqueued");
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
    expect(reading.projection.document.failure).toBe('["video.render","Timeout"]');
    expect(reading.projection.document.keys.keywords.worker).toBe("w-1");
    expect(reading.projection.document.keys.numbers).toMatchObject({ wait: 1_000, duration: 2_500 });
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
    expect(JSON.parse(reading.projection.document.body)).toHaveProperty("added", true);
  });
});

describe("an event about a mission", () => {
  const about = { id: ID, version: 4, name: "MissionStepFailed", timeMs: NOON_MS };

  test("becomes a document without its input, found by its steps, and an event found by its step", () => {
    const steps = [
      { name: "reserve", status: "SUCCEEDED", task: "hotel.reserve" },
      { name: "charge", status: "FAILED", task: "card.charge" },
    ];
    const text = missionText(about, { input: { a: 1 }, status: "COMPENSATING", steps }, "charge");
    const reading = readEvent(text);
    if (!("projection" in reading)) throw new Error(reading.deadLetter);
    const { document, event } = reading.projection;
    expect(document).toMatchObject({ kind: "mission", id: ID, project: "demo", version: 4 });
    expect(JSON.parse(document.body)).not.toHaveProperty("input");
    expect(document.keys.words).toEqual(expect.arrayContaining(["s:reserve", "s:charge", "t:hotel"]));
    expect(document.keys.keywords.step).toBeUndefined();
    expect(event?.keys.keywords).toMatchObject({ step: "charge", mission: ID, event: "missionstepfailed" });
    expect(event?.envelope).toBe(text);
  });

  test.each<readonly [string, string]>([
    ["an unknown event", missionText({ ...about, name: "MissionPaused" })],
    ["a payload without a mission", missionText(about, {}, "", { payload: {} })],
    ["an unknown status", missionText(about, { status: "PAUSED" })],
    ["a step without a name", missionText(about, { steps: [{}] })],
    ["another mission in it", missionText(about, { id: uuidAt(NOON_MS, 2) })],
  ])("with %s is a dead letter", (_what, text) => {
    expect(readEvent(text)).toEqual({ deadLetter: expect.stringMatching(/\w/) });
  });
});

describe("an event about an alert", () => {
  test("becomes a document of the platform, ordered by its severity, and no event", () => {
    const text = alertText(
      { id: ID, version: 1, name: "AlertFired", timeMs: NOON_MS },
      { severity: "CRITICAL" },
    );
    const reading = readEvent(text);
    if (!("projection" in reading)) throw new Error(reading.deadLetter);
    const { document, event } = reading.projection;
    expect(event).toBeUndefined();
    expect(document).toMatchObject({
      kind: "alert",
      project: "_platform",
      keys: { numbers: { priority: 3 } },
    });
  });
});

test.each([
  ["jobs", jobPart.names, jobEvents.file_orrery_jobs_v1_job_events],
  ["missions", missionPart.names, missionEvents.file_orrery_orchestrator_v1_mission_events],
  ["alerts", alertPart.names, alertEvents.file_orrery_alerts_v1_alert_events],
])("every event of the contract about %s is known, and no other", (_of, names, file) => {
  expect([...names].sort()).toEqual(file.messages.map(({ name }) => name).sort());
});
