import type { AggregateDocument, EventDocument, Projection } from "../src/domain/projection.ts";
import {
  eventKeysOf,
  missionKeysOf,
  type SearchedJob,
  type SearchedMission,
  searchKeysOf,
} from "../src/domain/search-keys.ts";

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

/** What an event is about, where it matters. */
interface About {
  readonly project?: string;
  readonly version?: number;
  readonly event?: string;
  readonly eventId?: string;
  readonly body?: string;
}

/** A projection that has an event, as those of jobs and missions have. */
export interface WithEvent extends Projection {
  readonly event: EventDocument;
}

/** The projection of one event about a job. */
export function projectionOf(job: SearchedJob, about: About = {}): WithEvent {
  const failed = job.status === "FAILED";
  const keys = searchKeysOf(job);
  const failure = failed ? JSON.stringify([job.task, job.errorType ?? ""]) : undefined;
  return projected({ kind: "job", id: job.id, keys, failure }, job, { event: "JobQueued", ...about });
}

/** A mission as the search knows it: launched at noon, unless told otherwise. */
export function searchedMission(number: number, told: Partial<SearchedMission> = {}): SearchedMission {
  const createMs = told.createMs ?? NOON_MS;
  return {
    id: uuidAt(createMs, number),
    name: "book-trip",
    status: "RUNNING",
    createMs,
    startMs: undefined,
    endMs: undefined,
    labels: {},
    errorType: undefined,
    errorMessage: undefined,
    correlation: undefined,
    steps: [{ name: "reserve", task: "hotel.reserve" }],
    ...told,
  };
}

/** The projection of one event about a mission. */
export function missionProjectionOf(
  mission: SearchedMission,
  about: About & { step?: string } = {},
): WithEvent {
  const keys = missionKeysOf(mission);
  const { id } = mission;
  const { step, ...told } = about;
  const parts = { kind: "mission", id, keys, failure: undefined } as const;
  return projected(parts, mission, { event: "MissionCreated", ...told }, { mission: id, step });
}

function projected(
  parts: Pick<AggregateDocument, "kind" | "id" | "keys" | "failure">,
  searched: { readonly id: string; readonly status: string; readonly createMs: number },
  about: About & { readonly event: string },
  eventOnly: { mission?: string; step?: string | undefined } = {},
): WithEvent {
  const { project = "demo", version = 1, event } = about;
  const { id, status, createMs } = searched;
  const number = Number.parseInt(id.slice(-12), 16);
  const eventId = about.eventId ?? uuidAt(createMs + version, number * 1_000 + version);
  const body = about.body ?? JSON.stringify({ id, status });
  return {
    document: { ...parts, project, version, body },
    event: {
      project,
      aggregateId: id,
      version,
      eventId,
      keys: eventKeysOf(parts.keys, event, eventOnly),
      envelope: JSON.stringify({ eventId, aggregateVersion: version }),
    },
  };
}
