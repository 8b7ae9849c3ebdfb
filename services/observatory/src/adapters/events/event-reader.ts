import { isObject, type Json, type JsonObject, objectAt } from "../../domain/envelope-payload.ts";
import type { Projection } from "../../domain/projection.ts";
import { STATUSES } from "../../domain/query/check.ts";
import { eventKeysOf, type SearchedJob, searchKeysOf } from "../../domain/search-keys.ts";

/**
 * What reading an event came to. A dead letter's text says what is wrong with it, for whoever redrives it.
 */
export type EventReading = { readonly projection: Projection } | { readonly deadLetter: string };

const PREFIX = "orrery.events.v1.jobs.";
const NAMES: ReadonlySet<string> = new Set([
  "JobScheduled",
  "JobQueued",
  "JobStarted",
  "JobRetrying",
  "JobAttemptLost",
  "JobAttemptReleased",
  "JobCancelRequested",
  "JobSucceeded",
  "JobFailed",
  "JobCancelled",
  "JobExpired",
]);
/**
 * The major versions that this code was written against. A newer one may mean something else by the same
 * words.
 */
const MAJOR = "1";
const STATUS_NAMES: ReadonlySet<string> = new Set(STATUSES);
const DIGEST_LIMIT = 200;

class NotAnEvent extends Error {}

/**
 * Reads an event about a job, as it came from the broker.
 *
 * Only what the search needs is taken apart here; the job goes into the read model as the ProtoJSON that it
 * came in, because decoding it to a message and back costs more than everything else in the projection.
 */
export function readEvent(text: string): EventReading {
  try {
    return { projection: projectionOf(text, parsed(text)) };
  } catch (error) {
    if (error instanceof NotAnEvent) return { deadLetter: error.message };
    throw error;
  }
}

function projectionOf(text: string, envelope: JsonObject): Projection {
  const name = nameOf(envelope);
  const payload = objectAt(envelope, "payload") ?? refuse("there is no payload");
  const {
    input: _input,
    output: _output,
    ...job
  } = objectAt(payload, "job") ?? refuse("there is no job in it");
  const project = textAt(envelope, "projectId");
  const id = textAt(envelope, "aggregateId");
  const version = countAt(envelope, "aggregateVersion");
  if (version < 1) refuse("the aggregateVersion is below 1");
  if (job.id !== id) refuse("the job in it is not its aggregate");
  const searched = searchedJob(job, objectAt(payload, "attempt"));
  const failure =
    searched.status === "FAILED" ? JSON.stringify([searched.task, searched.errorType ?? ""]) : undefined;
  const keys = searchKeysOf(searched);
  return {
    job: { project, id, version, keys, failure, body: JSON.stringify(job) },
    event: {
      project,
      jobId: id,
      version,
      eventId: textAt(envelope, "eventId").toLowerCase(),
      keys: eventKeysOf(keys, name),
      envelope: text,
    },
  };
}

function nameOf(envelope: JsonObject): string {
  for (const field of ["contractVersion", "version"]) {
    const version = textAt(envelope, field);
    if (version.split(".")[0] !== MAJOR)
      refuse(`${field} ${version.slice(0, DIGEST_LIMIT)} is not supported`);
  }
  const type = textAt(envelope, "eventType");
  const name = type.startsWith(PREFIX) ? type.slice(PREFIX.length) : "";
  if (!NAMES.has(name)) refuse(`the event type ${type.slice(0, DIGEST_LIMIT)} is unknown`);
  return name;
}

function searchedJob(job: JsonObject, attempt: JsonObject | undefined): SearchedJob {
  const error = objectAt(job, "error");
  const status = textAt(job, "status");
  if (!STATUS_NAMES.has(status)) refuse(`the status ${status.slice(0, DIGEST_LIMIT)} is unknown`);
  return {
    id: textAt(job, "id"),
    task: textAt(job, "task"),
    queue: textAt(job, "queue"),
    status,
    priority: countAt(job, "priority"),
    attempt: countAt(job, "attempt"),
    maxAttempts: countAt(job, "maxAttempts"),
    createMs: timeAt(job, "createTime") ?? refuse("the job has no createTime"),
    runMs: timeAt(job, "runTime"),
    startMs: timeAt(job, "startTime"),
    endMs: timeAt(job, "endTime"),
    labels: labelsOf(objectAt(job, "labels") ?? {}),
    errorType: optionalTextAt(error, "type"),
    errorMessage: optionalTextAt(error, "message"),
    worker: optionalTextAt(attempt, "worker"),
    correlation: optionalTextAt(job, "correlationId"),
    mission: optionalTextAt(job, "missionId"),
    step: optionalTextAt(job, "step"),
  };
}

function labelsOf(labels: JsonObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(labels).map(([key, value]) => [key, typeof value === "string" ? value : ""]),
  );
}

function parsed(text: string): JsonObject {
  try {
    const json = JSON.parse(text) as Json;
    if (isObject(json)) return json;
  } catch {
    // Said below, in words of our own: the parser's message may quote the payload.
  }
  return refuse("it is not a JSON object");
}

function textAt(from: JsonObject, key: string): string {
  const value = from[key];
  return typeof value === "string" && value !== "" ? value : refuse(`${key} is missing or not a text`);
}

function optionalTextAt(from: JsonObject | undefined, key: string): string | undefined {
  const value = from?.[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** ProtoJSON leaves a zero out unless told otherwise. */
function countAt(from: JsonObject, key: string): number {
  const value = from[key] ?? 0;
  return Number.isSafeInteger(value) ? Number(value) : refuse(`${key} is not a whole number`);
}

function timeAt(from: JsonObject, key: string): number | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  const timeMs = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(timeMs) ? refuse(`${key} is not a time`) : timeMs;
}

function refuse(why: string): never {
  throw new NotAnEvent(why);
}
