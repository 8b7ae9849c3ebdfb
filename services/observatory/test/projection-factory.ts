import type { Projection } from "../src/domain/projection.ts";
import { eventKeysOf, type SearchedJob, searchKeysOf } from "../src/domain/search-keys.ts";

export const NOON_MS = Date.parse("2026-11-20T12:00:00Z");

/** A UUIDv7 of a time, told apart by a number. */
export function uuidAt(timeMs: number, number: number): string {
  const hex = timeMs.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${number.toString(16).padStart(12, "0")}`;
}

/** A job as the search knows it: queued at noon, unless told otherwise. */
export function searchedJob(number: number, told: Partial<SearchedJob> = {}): SearchedJob {
  const createMs = told.createMs ?? NOON_MS;
  return {
    id: uuidAt(createMs, number),
    task: "video.render",
    queue: "default",
    status: "QUEUED",
    priority: 0,
    attempt: 0,
    maxAttempts: 5,
    createMs,
    runMs: undefined,
    startMs: undefined,
    endMs: undefined,
    labels: {},
    errorType: undefined,
    errorMessage: undefined,
    worker: undefined,
    correlation: undefined,
    mission: undefined,
    step: undefined,
    ...told,
  };
}

/** The projection of one event about a job. */
export function projectionOf(
  job: SearchedJob,
  about: { project?: string; version?: number; event?: string; eventId?: string; body?: string } = {},
): Projection {
  const { project = "demo", version = 1, event = "JobQueued" } = about;
  const number = Number.parseInt(job.id.slice(-12), 16);
  const eventId = about.eventId ?? uuidAt(job.createMs + version, number * 1_000 + version);
  const failed = job.status === "FAILED";
  return {
    job: {
      project,
      id: job.id,
      version,
      keys: searchKeysOf(job),
      failure: failed ? JSON.stringify([job.task, job.errorType ?? ""]) : undefined,
      body: about.body ?? JSON.stringify({ id: job.id, status: job.status }),
    },
    event: {
      project,
      jobId: job.id,
      version,
      eventId,
      keys: eventKeysOf(searchKeysOf(job), event),
      envelope: JSON.stringify({ eventId, aggregateVersion: version }),
    },
  };
}
