import { create, fromJson, fromJsonString, type JsonObject, toJson } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import { file_orrery_jobs_v1_job_events as eventsFile } from "@orrery/contracts/gen/orrery/jobs/v1/job_events_pb.js";
import { JobSchema } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import { shardOf } from "@orrery/mesh/outbox/outbox";
import { envelopeJson, PAYLOAD_LIMIT_BYTES } from "../../../src/adapters/events/event-json.ts";
import { payloadJson, toldFrom } from "../../../src/adapters/events/event-payload.ts";
import { jobToWire } from "../../../src/adapters/rpc/job-wire.ts";
import type { Change } from "../../../src/application/ports.ts";
import { blocked } from "../../../src/domain/blocked.ts";
import { type FactName, STATUS_AFTER } from "../../../src/domain/job-state.ts";
import { aJob, anEndedAttempt, NOW } from "../../job-factory.ts";

const EVENT_ID = "01a1fd6c-2a40-7000-8000-00000000000e";
const ODD = 'quote " slash \\ line \n nul \u0000 star 🪐';

/** The envelope as it is published: stored first, and then put together again with the terms of the job. */
function published(change: Change): string {
  const { fact, occurredMs, job, inputText, outputText } = change;
  const payload = payloadJson(change, JSON.stringify({ instanceId: ODD, version: "0.1.0" }));
  const stored = { id: EVENT_ID, fact, version: job.version, occurredMs, payload };
  return envelopeJson(toldFrom(stored, { terms: job, inputText, outputText }));
}

const changes: Change[] = (Object.keys(STATUS_AFTER) as FactName[]).map((fact) => ({
  from: undefined,
  fact,
  occurredMs: NOW + 7,
  attempt:
    fact === "JobQueued"
      ? undefined
      : anEndedAttempt({ worker: ODD, error: { type: "T", message: ODD, retryable: false } }),
  job: aJob(STATUS_AFTER[fact], {
    labels: { "a.b": ODD },
    correlationId: ODD,
    concurrencyKey: "k",
    expireMs: NOW + 1_500,
    timeoutMs: 1_500,
    cancelRequestMs: fact === "JobCancelRequested" ? NOW : undefined,
    retryPolicy: { initialDelayMs: 0, factor: 1.5, maxDelayMs: 250, jitter: 0 },
  }),
  inputText: fact === "JobQueued" ? JSON.stringify({ deep: [ODD, null, 1e21, -0.5] }) : undefined,
  outputText: fact === "JobSucceeded" ? "null" : undefined,
}));

describe("an event's JSON", () => {
  test.each(changes)("of $fact is what the contract's own codec writes, defaults included", (change) => {
    const written = JSON.parse(published(change)) as JsonObject & { payload: JsonObject };
    const always = { alwaysEmitImplicit: true };
    const envelope = fromJson(EventEnvelopeSchema, written);
    expect(written).toEqual(toJson(EventEnvelopeSchema, envelope, always));
    const schema = eventsFile.messages.find(({ name }) => name === change.fact) ?? EventEnvelopeSchema;
    expect(written.payload).toEqual(toJson(schema, fromJson(schema, written.payload), always));
  });

  test.each(changes)("of $fact carries the job as a reader would get it", (change) => {
    const { payload } = JSON.parse(published(change)) as { payload: { job: JsonObject } };
    const view = { ...change, inputText: change.inputText, outputText: change.outputText };
    const wire = jobToWire({ ...view, blocked: blocked(change.job, undefined) });
    expect(payload.job).toEqual(toJson(JobSchema, wire, { alwaysEmitImplicit: true }));
  });

  test("holds an input of 32 KiB, and leaves one byte more out", () => {
    const [change] = changes.filter(({ fact }) => fact === "JobQueued");
    const inputOf = (bytes: number) => {
      const inputText = JSON.stringify("é".repeat((bytes - 2) / 2) + (bytes % 2 === 0 ? "" : "x"));
      expect(Buffer.byteLength(inputText)).toBe(bytes);
      const envelope = fromJsonString(EventEnvelopeSchema, published({ ...change, inputText } as Change));
      return (envelope.payload as { job: JsonObject }).job.input;
    };
    expect(inputOf(PAYLOAD_LIMIT_BYTES)).toBeDefined();
    expect(inputOf(PAYLOAD_LIMIT_BYTES + 1)).toBeUndefined();
  });

  test("names the aggregate, its version, and the key that is the same at every delivery", () => {
    const [change] = changes;
    const envelope = JSON.parse(published(change as Change)) as JsonObject;
    expect(envelope).toMatchObject({
      eventType: "orrery.events.v1.jobs.JobScheduled",
      aggregateId: change?.job.id,
      aggregateVersion: 1,
      idempotencyKey: `${change?.job.id}:1`,
      traceId: "0af7651916cd43dd8448eb211c80319c",
      contractVersion: "1.0.0",
      version: "1.0.0",
      producer: { service: "jobs", instanceId: ODD, version: "0.1.0" },
      projectId: "demo",
    });
    expect(create(EventEnvelopeSchema).contractVersion).toBe("");
  });

  test("goes to one of sixteen shards, always the same for one job", () => {
    expect(shardOf(changes[0]?.job.id ?? "")).toBe(11);
  });
});
