import { type JsonObject, objectAt } from "../../domain/envelope-payload.ts";
import { JOB_STATUSES } from "../../domain/query/statuses.ts";
import { type SearchedJob, searchKeysOf } from "../../domain/search-keys.ts";
import type { EventPart } from "./event-context.ts";
import { countAt, nameAt, optionalTextAt, refuse, textAt, textsAt, timeAt } from "./json-fields.ts";

const STATUSES: ReadonlySet<string> = new Set(JOB_STATUSES);

/** What events about jobs are called, and what is taken out of them. */
export const jobPart = {
  kind: "job",
  names: new Set([
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
  ]),
  part: partOf,
} as const;

function partOf(payload: JsonObject): EventPart {
  const {
    input: _input,
    output: _output,
    ...after
  } = objectAt(payload, "job") ?? refuse("there is no job in it");
  const job = searchedJob(after, objectAt(payload, "attempt"));
  const failure = job.status === "FAILED" ? JSON.stringify([job.task, job.errorType ?? ""]) : undefined;
  return { after, keys: searchKeysOf(job), failure };
}

function searchedJob(job: JsonObject, attempt: JsonObject | undefined): SearchedJob {
  const error = objectAt(job, "error");
  return {
    id: textAt(job, "id"),
    task: textAt(job, "task"),
    queue: textAt(job, "queue"),
    status: nameAt(job, "status", STATUSES),
    priority: countAt(job, "priority"),
    attempt: countAt(job, "attempt"),
    maxAttempts: countAt(job, "maxAttempts"),
    createMs: timeAt(job, "createTime") ?? refuse("the job has no createTime"),
    runMs: timeAt(job, "runTime"),
    startMs: timeAt(job, "startTime"),
    endMs: timeAt(job, "endTime"),
    labels: textsAt(job, "labels"),
    errorType: optionalTextAt(error, "type"),
    errorMessage: optionalTextAt(error, "message"),
    worker: optionalTextAt(attempt, "worker"),
    correlation: optionalTextAt(job, "correlationId"),
    mission: optionalTextAt(job, "missionId"),
    step: optionalTextAt(job, "step"),
  };
}
