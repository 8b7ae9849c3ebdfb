import type { Attempt, Job, JobError, JobTerms, Moved, ReadyState } from "../../domain/job.ts";
import type { AttemptStatus, JobStatus } from "../../domain/job-state.ts";
import type { Lease } from "../../domain/lease.ts";

/** What never changes of a row of `job`, as the driver gives it: times in epoch milliseconds, JSON as text. */
export interface TermsRow {
  readonly id: string;
  readonly project: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: number;
  readonly timeout_ms: number;
  readonly retry_initial_ms: number;
  readonly retry_factor: number;
  readonly retry_max_ms: number;
  readonly retry_jitter: number;
  readonly create_time: number;
  readonly labels: string;
  readonly concurrency_key: string;
  readonly correlation_id: string;
  readonly traceparent: string;
  readonly mission_id: string;
  readonly step: string;
}

/** A row of `job` without its input and output. */
export interface JobRow extends TermsRow {
  readonly status: JobStatus;
  readonly version: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly attempts_submitted: number;
  readonly released: number;
  readonly failures: number;
  readonly run_time: number;
  readonly start_time: number | null;
  readonly end_time: number | null;
  readonly expire_time: number | null;
  readonly cancel_request_time: number | null;
  readonly reason: string;
  readonly error_type: string | null;
  readonly error_message: string | null;
  readonly error_retryable: boolean | null;
}

/** The open lease beside a job; every field is null where there is none. */
export interface LeaseColumns {
  readonly lease_epoch: number | null;
  readonly lease_worker: string | null;
  readonly lease_principal: string | null;
  readonly lease_start: number | null;
  readonly lease_expire: number | null;
  readonly lease_timeout: number | null;
}

export interface AttemptRow {
  readonly job_id: string;
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly worker: string;
  readonly principal: string;
  readonly start_time: number;
  readonly end_time: number | null;
  readonly error_type: string | null;
  readonly error_message: string | null;
  readonly error_retryable: boolean | null;
  readonly digest: string;
}

/** A QUEUED job, as far as its grant needs it. */
export type ReadyStateRow = Pick<
  JobRow,
  | "id"
  | "project"
  | "task"
  | "queue"
  | "version"
  | "priority"
  | "attempt"
  | "max_attempts"
  | "timeout_ms"
  | "create_time"
  | "run_time"
  | "expire_time"
  | "labels"
  | "correlation_id"
  | "traceparent"
  | "error_type"
  | "error_message"
  | "error_retryable"
> & { readonly input: string | null };

/** What of a job that has just succeeded is told. */
export interface SucceededRow {
  readonly id: string;
  readonly project: string;
  readonly task: string;
  readonly version: number;
  readonly attempt: number;
  readonly max_attempts: number;
  readonly run_time: number;
  readonly start_time: number;
  readonly end_time: number;
  readonly expire_time: number | null;
  readonly cancel_request_time: number | null;
  readonly worker: string;
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});

export function termsFrom(row: TermsRow): Omit<JobTerms, "attemptsSubmitted"> {
  return {
    id: row.id,
    project: row.project,
    task: row.task,
    queue: row.queue,
    priority: row.priority,
    timeoutMs: row.timeout_ms,
    retryPolicy: {
      initialDelayMs: row.retry_initial_ms,
      factor: row.retry_factor,
      maxDelayMs: row.retry_max_ms,
      jitter: row.retry_jitter,
    },
    createMs: row.create_time,
    labels: labelsFrom(row.labels),
    concurrencyKey: row.concurrency_key,
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
    missionId: row.mission_id,
    step: row.step,
  };
}

const labelsFrom = (json: string): Readonly<Record<string, string>> =>
  json === "{}" ? NO_LABELS : (JSON.parse(json) as Record<string, string>);

/** No job that waits has started, ended, or been asked to stop: what it has of these is from before its last wait. */
export function readyStateFrom(row: ReadyStateRow): ReadyState {
  return {
    id: row.id,
    project: row.project,
    task: row.task,
    queue: row.queue,
    status: "QUEUED",
    version: row.version,
    priority: row.priority,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    timeoutMs: row.timeout_ms,
    createMs: row.create_time,
    runMs: row.run_time,
    startMs: undefined,
    endMs: undefined,
    expireMs: row.expire_time ?? undefined,
    cancelRequestMs: undefined,
    labels: labelsFrom(row.labels),
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
    error: errorFrom(row),
  };
}

export function jobFrom(row: JobRow): Job {
  return {
    ...termsFrom(row),
    status: row.status,
    version: row.version,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    attemptsSubmitted: row.attempts_submitted,
    released: row.released,
    failures: row.failures,
    runMs: row.run_time,
    startMs: row.start_time ?? undefined,
    endMs: row.end_time ?? undefined,
    expireMs: row.expire_time ?? undefined,
    cancelRequestMs: row.cancel_request_time ?? undefined,
    reason: row.reason,
    error: errorFrom(row),
  };
}

export function leaseFrom(jobId: string, row: LeaseColumns): Lease | undefined {
  if (row.lease_epoch === null) return undefined;
  return {
    jobId,
    epoch: row.lease_epoch,
    worker: row.lease_worker ?? "",
    principal: row.lease_principal ?? "",
    startMs: row.lease_start ?? 0,
    expiresMs: row.lease_expire ?? 0,
    timeoutMs: row.lease_timeout ?? 0,
  };
}

export function succeededFrom(row: SucceededRow): Moved {
  const { id, project, task, version, attempt, start_time: startMs, end_time: endMs } = row;
  return {
    from: "RUNNING",
    fact: "JobSucceeded",
    occurredMs: endMs,
    attempt: { attempt, status: "SUCCEEDED", worker: row.worker, startMs, endMs, error: undefined },
    job: {
      id,
      project,
      task,
      status: "SUCCEEDED",
      version,
      attempt,
      maxAttempts: row.max_attempts,
      runMs: row.run_time,
      startMs,
      endMs,
      expireMs: row.expire_time ?? undefined,
      cancelRequestMs: row.cancel_request_time ?? undefined,
      error: undefined,
    },
  };
}

export function attemptFrom(row: AttemptRow): Attempt {
  return {
    jobId: row.job_id,
    attempt: row.attempt,
    status: row.status,
    worker: row.worker,
    principal: row.principal,
    startMs: row.start_time,
    endMs: row.end_time ?? undefined,
    error: errorFrom(row),
    digest: row.digest,
  };
}

function errorFrom(
  row: Pick<JobRow, "error_type" | "error_message" | "error_retryable">,
): JobError | undefined {
  if (row.error_type === null) return undefined;
  return { type: row.error_type, message: row.error_message ?? "", retryable: row.error_retryable ?? true };
}
