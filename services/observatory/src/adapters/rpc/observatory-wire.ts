import { fromJson, type JsonObject, type JsonValue, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import {
  type Job,
  type JobAttempt,
  JobAttemptSchema,
  JobSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import type {
  GetOverviewResponseSchema,
  WatchEventsResponseSchema,
} from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import type { Freshness } from "../../application/freshness.ts";
import type { Overview } from "../../application/overview.ts";
import type { FailureGroup, StoredEvent } from "../../application/ports.ts";
import type { ReadJob } from "../../application/read-job.ts";
import type { WatchFrame } from "../../application/watch-events.ts";
import { payloadName } from "../../domain/envelope-payload.ts";

// What was stored is ProtoJSON of the contract, perhaps of a newer release of it: unknown fields are passed
// over.
const LENIENT = { ignoreUnknownFields: true } as const;

/** A job out of the read model. */
export function jobToWire(stored: { readonly body: string }): Job {
  return fromJson(JobSchema, JSON.parse(stored.body) as JsonValue, LENIENT);
}

/** A job with input and output. */
export function wholeJobToWire({ body, input, output }: ReadJob): Job {
  const job = JSON.parse(body) as JsonObject;
  const whole = {
    ...job,
    ...(input === undefined ? {} : { input: input as JsonValue }),
    ...(output === undefined ? {} : { output: output as JsonValue }),
  };
  return fromJson(JobSchema, whole, LENIENT);
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
export function toCount(count: number): number {
  return Math.min(Math.round(count), 2_147_483_647);
}

export function frameToWire(frame: WatchFrame): MessageInitShape<typeof WatchEventsResponseSchema> {
  if (frame === "reset") return { id: "", event: "reset", data: {} };
  const data = JSON.parse(frame.envelope) as JsonObject;
  return { id: frame.eventId, event: payloadName(data.eventType), data };
}

export function overviewToWire(
  project: string,
  overview: Overview,
  about: { readonly readModel: string; readonly freshness: Freshness },
): MessageInitShape<typeof GetOverviewResponseSchema> {
  return {
    project,
    health: overview.health,
    jobs: Object.fromEntries([...overview.jobs].map(([status, count]) => [status, toCount(count)])),
    totalJobs: toCount(overview.totalJobs),
    queues: overview.queues.map(({ name, paused, depth, oldestWaitSeconds }) => {
      return { name, paused, depth, oldestWaitSeconds };
    }),
    workers: overview.workers,
    failures: overview.failures.map(failureToWire),
    recentJobs: overview.recentJobs.map(jobToWire),
    alerts: [],
    readModel: about.readModel,
    ...freshnessToWire(about.freshness),
    complete: overview.complete,
  };
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
