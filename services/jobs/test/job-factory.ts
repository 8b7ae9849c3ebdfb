import type { AttemptWord, HeldJob, Word } from "../src/domain/attempt-decisions.ts";
import type { Attempt, Job } from "../src/domain/job.ts";
import type { JobStatus } from "../src/domain/job-state.ts";
import { LEASE_MS } from "../src/domain/lease.ts";
import { DEFAULT_RETRY_POLICY } from "../src/domain/retry-schedule.ts";
import type { Submission } from "../src/domain/submission.ts";

/** When everything in these tests happens, unless said. */
export const NOW = Date.UTC(2026, 10, 21, 9, 0, 0);
export const JOB_ID = "01a1fd6c-2a40-7000-8000-00000000000b";
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

export function aSubmission(changes: Partial<Submission> = {}): Submission {
  return {
    project: "demo",
    task: "mail.send",
    queue: "default",
    priority: 0,
    maxAttempts: 5,
    timeoutMs: 600_000,
    retryPolicy: DEFAULT_RETRY_POLICY,
    start: "now",
    expireMs: undefined,
    labels: {},
    concurrencyKey: "",
    correlationId: "correlation-1",
    traceparent: TRACEPARENT,
    missionId: "",
    step: "",
    ...changes,
  };
}

/** A job in a status, with what that status brings along. */
export function aJob(status: JobStatus, changes: Partial<Job> = {}): Job {
  const { start: _start, ...terms } = aSubmission();
  const granted = status !== "SCHEDULED" && status !== "QUEUED";
  const ended = ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"].includes(status);
  return {
    ...terms,
    id: JOB_ID,
    attemptsSubmitted: 5,
    createMs: NOW - 60_000,
    status,
    version: granted ? 3 : 1,
    attempt: granted ? 1 : 0,
    released: 0,
    failures: status === "RETRYING" || status === "FAILED" ? 1 : 0,
    runMs: status === "SCHEDULED" || status === "RETRYING" ? NOW + 5_000 : NOW - 60_000,
    startMs: granted ? NOW - 30_000 : undefined,
    endMs: ended ? NOW - 1_000 : undefined,
    error: status === "FAILED" ? { type: "BROKEN", message: "no", retryable: true } : undefined,
    cancelRequestMs: undefined,
    reason: "",
    ...changes,
  };
}

/** A running job with its lease, held by worker `w` for principal `ann`. */
export function aHeldJob(changes: Partial<Job> = {}, expiresMs = NOW + LEASE_MS): HeldJob {
  const job = aJob("RUNNING", changes);
  const startMs = job.startMs ?? NOW;
  const lease = { jobId: job.id, epoch: job.attempt, worker: "w", principal: "ann", startMs, expiresMs };
  return { job, lease: { ...lease, timeoutMs: startMs + job.timeoutMs }, attempt: undefined };
}

export const ANN = { project: "demo", principal: "ann" };

export const aWord = (word: Word, changes: Partial<AttemptWord> = {}): AttemptWord => ({
  jobId: JOB_ID,
  epoch: 1,
  digest: JSON.stringify(word),
  word,
  ...changes,
});

export const aFailure = (changes: Partial<Extract<Word, { kind: "fail" }>> = {}): Word => ({
  kind: "fail",
  error: { type: "BROKEN", message: "no", retryable: true },
  retryAfterMs: undefined,
  cancelled: false,
  ...changes,
});

export const anEndedAttempt = (changes: Partial<Attempt> = {}): Attempt => ({
  jobId: JOB_ID,
  attempt: 1,
  status: "SUCCEEDED",
  worker: "w",
  principal: "ann",
  startMs: NOW - 30_000,
  endMs: NOW - 1_000,
  error: undefined,
  digest: JSON.stringify({ kind: "complete" }),
  ...changes,
});
