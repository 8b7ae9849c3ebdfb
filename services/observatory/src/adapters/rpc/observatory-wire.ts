import { fromJson, type JsonObject, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { type TimestampSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Alert, AlertSchema } from "@orrery/contracts/gen/orrery/alerts/v1/alert_pb.js";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import {
  type Job,
  type JobAttempt,
  JobAttemptSchema,
  JobSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type {
  GetJobTraceResponseSchema,
  GetOverviewResponseSchema,
  SpanSchema,
  WatchEventsResponseSchema,
} from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import { type Mission, MissionSchema } from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import type { Freshness } from "../../application/freshness.ts";
import type { Overview } from "../../application/overview.ts";
import type { FailureGroup, StoredEvent } from "../../application/ports.ts";
import type { ReadDocument } from "../../application/read-document.ts";
import type { ReadTrace } from "../../application/read-trace.ts";
import type { WatchFrame } from "../../application/watch-events.ts";
import { payloadName } from "../../domain/envelope-payload.ts";
import type { Span } from "../../domain/span.ts";

// What was stored is ProtoJSON of the contract, perhaps of a newer release of it: unknown fields are passed
// over.
const LENIENT = { ignoreUnknownFields: true } as const;

/** A job out of the read model. */
export function jobToWire(stored: { readonly body: string }): Job {
  return fromJson(JobSchema, JSON.parse(stored.body) as JsonValue, LENIENT);
}

/** A job with input and output. */
export function wholeJobToWire(read: ReadDocument): Job {
  return fromJson(JobSchema, wholeOf(read), LENIENT);
}

/** A mission out of the read model. */
export function missionToWire(stored: { readonly body: string }): Mission {
  return fromJson(MissionSchema, JSON.parse(stored.body) as JsonValue, LENIENT);
}

/** A mission with its input. */
export function wholeMissionToWire(read: ReadDocument): Mission {
  return fromJson(MissionSchema, wholeOf(read), LENIENT);
}

/** An alert out of the read model. */
export function alertToWire(stored: { readonly body: string }): Alert {
  return fromJson(AlertSchema, JSON.parse(stored.body) as JsonValue, LENIENT);
}

function wholeOf({ body, input, output }: ReadDocument): JsonObject {
  return {
    ...(JSON.parse(body) as JsonObject),
    ...(input === undefined ? {} : { input: input as JsonValue }),
    ...(output === undefined ? {} : { output: output as JsonValue }),
  };
}

export function attemptToWire(attempt: object): JobAttempt {
  return fromJson(JobAttemptSchema, attempt as JsonObject, LENIENT);
}

export function eventToWire(event: StoredEvent) {
  return fromJson(EventEnvelopeSchema, JSON.parse(event.envelope) as JsonValue, LENIENT);
}

export function freshnessToWire({ asOfMs, lagMs }: Freshness) {
  return { asOf: timestampFromMs(Math.floor(asOfMs)), lagMs: toCount(lagMs) };
}

/**
 * int32 is what the contract gives counts, so that they are numbers in JSON; more than that shows as the
 * most.
 */
function toCount(count: number): number {
  return Math.min(Math.round(count), 2_147_483_647);
}

export function frameToWire(frame: WatchFrame): MessageInitShape<typeof WatchEventsResponseSchema> {
  if (frame === "reset") return { id: "", event: "reset", data: {} };
  const data = JSON.parse(frame.envelope) as JsonObject;
  return { id: frame.eventId, event: payloadName(data.eventType), data };
}

/** An overview without its recent jobs: what holds those that wait has to be asked. */
export function overviewToWire(
  project: string,
  overview: Overview,
  about: { readonly readModel: string; readonly freshness: Freshness },
): MessageInitShape<typeof GetOverviewResponseSchema> {
  return {
    project,
    health: overview.health,
    jobs: countsToWire(overview.jobs),
    totalJobs: toCount(overview.totalJobs),
    queues: overview.queues.map(({ name, paused, depth, oldestWaitSeconds }) => {
      return { name, paused, depth, oldestWaitSeconds };
    }),
    workers: overview.workers,
    failures: overview.failures.map(failureToWire),
    missions: countsToWire(overview.missions),
    attentionMissions: overview.attentionMissions.map(missionToWire),
    alerts: overview.alerts.map(alertToWire),
    readModel: about.readModel,
    ...freshnessToWire(about.freshness),
    complete: overview.complete,
  };
}

/** A trace; the answers for jobs and for missions have the same fields. */
export function traceToWire(
  trace: ReadTrace,
): Omit<MessageInitShape<typeof GetJobTraceResponseSchema>, "$typeName"> {
  return { traceId: trace.traceId, spans: trace.spans.map(spanToWire), complete: trace.complete };
}

function spanToWire(span: Span): MessageInitShape<typeof SpanSchema> {
  const { spanId, parentSpanId, name, service, startUs, durationUs, failed, attributes } = span;
  const startTime = timestampFromMicros(startUs);
  const duration = { seconds: BigInt(Math.floor(durationUs / 1e6)), nanos: (durationUs % 1e6) * 1_000 };
  return { spanId, parentSpanId, name, service, startTime, duration, failed, attributes: { ...attributes } };
}

function timestampFromMicros(micros: number): MessageInitShape<typeof TimestampSchema> {
  return { seconds: BigInt(Math.floor(micros / 1e6)), nanos: (micros % 1e6) * 1_000 };
}

function countsToWire(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].map(([status, count]) => [status, toCount(count)]));
}

function failureToWire({ task, errorType, count, lastEndMs }: FailureGroup) {
  const q = [
    `status:failed`,
    `task:${quoted(task)}`,
    ...(errorType === "" ? [] : [`error.type:${quoted(errorType)}`]),
  ];
  return {
    task,
    errorType,
    count: toCount(count),
    lastSeenTime: timestampFromMs(lastEndMs),
    q: q.join(" "),
  };
}

function quoted(text: string): string {
  return /^[\w.-]+$/.test(text) && !text.includes("..")
    ? text
    : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
