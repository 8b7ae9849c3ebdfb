import { afterAll, describe, expect, test } from "@jest/globals";
import { time, version } from "@orrery/contracts/pact/pact-matchers";
import { PactRecorder } from "@orrery/contracts/pact/pact-recorder";
import { MatchersV3 } from "@pact-foundation/pact";
import { alertPart, missionPart } from "../../../src/adapters/events/event-parts.ts";
import { readEvent } from "../../../src/adapters/events/event-reader.ts";
import { jobPart } from "../../../src/adapters/events/job-part.ts";
import { ALERT_STATUSES, JOB_STATUSES, MISSION_STATUSES } from "../../../src/domain/query/statuses.ts";
import { NOON_MS, uuidAt } from "../../projection-factory.ts";

const { eachLike, integer, like, regex, string, uuid } = MatchersV3;
const ID = uuidAt(NOON_MS, 1);
const NOON = "2026-11-20T12:00:00Z";
const oneOf = (words: readonly string[]) => regex(words.join("|"), words[0] ?? "");

/** What the projection reads of every envelope. */
const envelope = (context: string, name: string, payload: object) => ({
  contractVersion: version(),
  version: version(),
  eventType: `orrery.events.v1.${context}.${name}`,
  eventId: uuid(uuidAt(NOON_MS, 2)),
  aggregateId: uuid(ID),
  aggregateVersion: integer(1),
  projectId: string("demo"),
  payload,
});

const ATTEMPTED = ["JobStarted", "JobRetrying", "JobAttemptLost", "JobAttemptReleased", "JobSucceeded"];
const ENDED = ["JobSucceeded", "JobFailed", "JobCancelled", "JobExpired"];
const failure = { type: string("BROKEN"), message: string("no") };

/** What it reads of the payload of each event about a job. */
const jobPayload = (name: string): object => ({
  job: {
    id: uuid(ID),
    task: string("video.render"),
    queue: string("default"),
    status: oneOf(JOB_STATUSES),
    version: integer(1),
    priority: integer(0),
    attempt: integer(0),
    maxAttempts: integer(5),
    createTime: time(NOON),
    runTime: time(NOON),
    labels: like({}),
    correlationId: string("c-1"),
    ...(ENDED.includes(name) && { endTime: time(NOON) }),
    ...(name === "JobStarted" && { startTime: time(NOON) }),
    ...(name === "JobFailed" && { status: "FAILED", error: failure }),
  },
  ...([...ATTEMPTED, "JobFailed"].includes(name) && { attempt: { worker: string("w-1") } }),
});

const missionPayload = (name: string): object => ({
  mission: {
    id: uuid(ID),
    name: string("book-trip"),
    status: oneOf(MISSION_STATUSES),
    version: integer(1),
    createTime: time(NOON),
    labels: like({}),
    correlationId: string("c-1"),
    steps: eachLike({ name: string("reserve"), task: string("hotel.reserve") }),
    ...(name === "MissionNeedsAttention" && { error: failure }),
  },
  step: string("reserve"),
});

const alertPayload = (): object => ({
  alert: {
    id: uuid(ID),
    name: string("ServiceDown"),
    status: oneOf(ALERT_STATUSES),
    severity: oneOf(["CRITICAL", "WARNING", "INFO"]),
    version: integer(1),
    startTime: time(NOON),
  },
});

describe.each([
  ["jobs", jobPart, jobPayload],
  ["orchestrator", missionPart, missionPayload],
  ["alerts", alertPart, alertPayload],
] as const)("what the projection needs of the events of %s", (context, part, payloadOf) => {
  const recorder = new PactRecorder("observatory", context);
  afterAll(() => recorder[Symbol.dispose]());

  test.each([...part.names])("is enough of %s to find what it is about", async (name) => {
    await recorder.pact
      .addAsynchronousInteraction()
      .expectsToReceive(name, (message) => {
        message.withJSONContent(envelope(context, name, payloadOf(name)));
      })
      .executeTest((message) => {
        const reading = readEvent(JSON.stringify(message.contents.content));
        if (!("projection" in reading)) throw new Error(reading.deadLetter);
        expect(reading.projection.document).toMatchObject({ kind: part.kind, id: ID, project: "demo" });
        expect(reading.projection.document.keys.keywords.status).toMatch(/^[a-z_]+$/);
        return Promise.resolve();
      });
  });

  test("is what the producer is held to", () => {
    expect(() => recorder.settle()).not.toThrow();
  });
});
