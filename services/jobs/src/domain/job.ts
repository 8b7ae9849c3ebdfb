import { type AttemptStatus, canFollow, type FactName, type JobStatus, STATUS_AFTER } from "./job-state.ts";

/** Begins the names of the platform's own tasks, which nobody else serves. */
export const RESERVED = "orrery.";

/** Why an attempt did not succeed. */
export interface JobError {
  readonly type: string;
  readonly message: string;
  readonly retryable: boolean;
}

/** How long to wait between attempts; see retry-schedule.ts. */
export interface RetryPolicy {
  readonly initialDelayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  readonly jitter: number;
}

/** What never changes after submission. */
export interface JobTerms {
  readonly id: string;
  readonly project: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: number;
  readonly timeoutMs: number;
  readonly retryPolicy: RetryPolicy;
  readonly createMs: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly concurrencyKey: string;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly missionId: string;
  readonly step: string;
  /** How many attempts were asked for at submission; a retry by hand grants as many again. */
  readonly attemptsSubmitted: number;
}

/**
 * One job without its input and output, which the rules never look at. Times are epoch milliseconds of the
 * database's clock.
 */
export interface Job extends JobTerms {
  readonly status: JobStatus;
  /** I8: grows by one with each transition. */
  readonly version: number;
  /** How many grants; the lease epoch of the latest one (I4). */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Grants that were given back and do not count. */
  readonly released: number;
  /** Failures since submission or the last retry by hand: the exponent of the backoff. */
  readonly failures: number;
  readonly runMs: number;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly expireMs: number | undefined;
  readonly error: JobError | undefined;
  readonly cancelRequestMs: number | undefined;
  /** What the caller said when cancelling or retrying. */
  readonly reason: string;
}

/** One grant of a job, and how it ended. */
export interface Attempt {
  readonly jobId: string;
  readonly attempt: number;
  readonly status: AttemptStatus;
  readonly worker: string;
  readonly principal: string;
  readonly startMs: number;
  readonly endMs: number | undefined;
  readonly error: JobError | undefined;
  /**
   * What its worker's accepted word hashes to, so that the same word again is recognised; empty without one.
   */
  readonly digest: string;
}

/** What others are told of a job: all but what only the rules count with. */
export type ToldJob = Omit<Job, "attemptsSubmitted" | "released" | "failures" | "reason">;

/** What others are told of an attempt. */
export type ToldAttempt = Omit<Attempt, "jobId" | "principal" | "digest">;

/**
 * One step of a job: the state after it, the fact that tells of it, and the attempt that it began or ended.
 */
export interface Transition<J = Job> {
  readonly from: JobStatus | undefined;
  readonly job: J;
  readonly fact: FactName;
  readonly occurredMs: number;
  readonly attempt: Attempt | undefined;
}

/** What of a job that waits its grant is decided by, and its worker is told. */
export type ReadyState = Moved["job"] &
  Pick<
    JobTerms,
    "queue" | "priority" | "timeoutMs" | "createMs" | "labels" | "correlationId" | "traceparent"
  >;

/** What of a step is told to others: a transition without the terms of its job. */
export interface Moved {
  readonly from: JobStatus | undefined;
  readonly job: Omit<ToldJob, Exclude<keyof JobTerms, "id" | "project" | "task">>;
  readonly fact: FactName;
  readonly occurredMs: number;
  readonly attempt: ToldAttempt | undefined;
}

/** What a rule decides: a step, or why not. `same` accepts the command and changes nothing. */
export type Decision<R extends string = string, J = Job> =
  | { readonly kind: "step"; readonly step: Transition<J> }
  | { readonly kind: "same" }
  | { readonly kind: "refused"; readonly reason: R };

/** The decision not to carry something out. */
export const refuse = <R extends string>(reason: R): Decision<R> => ({ kind: "refused", reason });
/** The decision that all is already as it should be. */
export const unchanged: Decision<never> = { kind: "same" };

/** The fields that a transition may set. */
type Changes = Partial<Omit<Job, keyof JobTerms | "status" | "version">>;

/**
 * I3, I8: the one way to make a transition. It throws on a step that the table does not know: that is a
 * defect, not an answer.
 */
export function step<J extends Pick<Job, "id" | "status" | "version">>(
  job: J,
  fact: FactName,
  occurredMs: number,
  changes: Changes,
  attempt?: Attempt,
): Decision<never, J> {
  const status = STATUS_AFTER[fact];
  if (!canFollow(job.status, status)) throw new Error(`${fact} cannot follow ${job.status} (job ${job.id})`);
  return {
    kind: "step",
    step: {
      from: job.status,
      job: { ...job, ...changes, status, version: job.version + 1 },
      fact,
      occurredMs,
      attempt,
    },
  };
}

/** How many attempts count against the limit. */
export const attemptsUsed = (job: Job): number => job.attempt - job.released;
