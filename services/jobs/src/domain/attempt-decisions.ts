// The rules for a job that is RUNNING. Invariants kept here:
// I4  attempt grows only at a grant, so a crash before any work still counts.
// I5  each attempt gets exactly one outcome, in the same step that moves its job on.
// I7  a word about an attempt counts only with the epoch of the open lease, from the principal that holds it.
import {
  type Attempt,
  attemptsUsed,
  type Decision,
  type Job,
  type JobError,
  type ReadyState,
  refuse,
  step,
  unchanged,
} from "./job.ts";
import { CANCEL_ANSWER_MS, type Lease } from "./lease.ts";
import { retryDelayMs } from "./retry-schedule.ts";

/** Why a worker's word is not taken. */
export type WordRefusal = "NOT_FOUND" | "LEASE_LOST" | "LEASE_FOREIGN" | "CANCEL_NOT_REQUESTED";

/** Who speaks about an attempt. An absent project speaks for all of them. */
interface Speaker {
  readonly project: string | undefined;
  readonly principal: string;
}

/** What a worker says about an attempt that it ran. */
export type Word =
  | { readonly kind: "complete" }
  | {
      readonly kind: "fail";
      readonly error: JobError;
      readonly retryAfterMs: number | undefined;
      readonly cancelled: boolean;
    }
  | { readonly kind: "release" };

/** A word with what it is about: `digest` is the hash of all that was said. */
export interface AttemptWord {
  readonly jobId: string;
  readonly epoch: number;
  readonly digest: string;
  readonly word: Word;
}

/**
 * What is known of a job when a word about it comes in: the job, its open lease, and the attempt that the
 * word names.
 */
export interface HeldJob {
  readonly job: Job;
  readonly lease: Lease | undefined;
  readonly attempt: Attempt | undefined;
}

/** Grants the job: RUNNING, one attempt more. */
export function grant<J extends ReadyState>(
  job: J,
  to: { worker: string; principal: string },
  nowMs: number,
): Decision<never, J> {
  // The clock of submission is an estimate of the database's: never start before the job was there.
  const startMs = Math.max(nowMs, job.createMs);
  const attempt: Attempt = {
    jobId: job.id,
    attempt: job.attempt + 1,
    status: "RUNNING",
    worker: to.worker,
    principal: to.principal,
    startMs,
    endMs: undefined,
    error: undefined,
    digest: "",
  };
  return step(job, "JobStarted", startMs, { attempt: attempt.attempt, startMs }, attempt);
}

/** Decides about one word of a worker. `same` means that this very word was accepted before. */
export function hear(
  held: HeldJob | undefined,
  said: AttemptWord,
  by: Speaker,
  at: { nowMs: number; chance: number },
): Decision<WordRefusal> {
  if (held === undefined || (by.project !== undefined && held.job.project !== by.project))
    return refuse("NOT_FOUND");
  const refusal = whyNot(held, said, by);
  if (refusal !== undefined) return refusal;
  const { word } = said;
  const { job } = held;
  if (word.kind === "complete") return succeed(job, end(held, "SUCCEEDED", at.nowMs, said.digest));
  if (word.kind === "release") return release(job, end(held, "RELEASED", at.nowMs, said.digest));
  if (word.cancelled) {
    if (job.cancelRequestMs === undefined) return refuse("CANCEL_NOT_REQUESTED");
    return cancelled(job, end(held, "CANCELLED", at.nowMs, said.digest));
  }
  const ended = end(held, "FAILED", at.nowMs, said.digest, word.error);
  return fail(job, ended, { error: word.error, retryAfterMs: word.retryAfterMs, chance: at.chance });
}

/** I7: whether the attempt of that number runs, and its lease is held. */
export const isOpen = ({ job, lease }: HeldJob, epoch: number): boolean =>
  job.status === "RUNNING" && job.attempt === epoch && lease?.epoch === epoch;

function whyNot(held: HeldJob, said: AttemptWord, by: Speaker): Decision<WordRefusal> | undefined {
  const { lease, attempt } = held;
  const open = isOpen(held, said.epoch);
  if (open) return lease?.principal === by.principal ? undefined : refuse("LEASE_FOREIGN");
  if (attempt === undefined || attempt.digest !== said.digest) return refuse("LEASE_LOST");
  return attempt.principal === by.principal ? unchanged : refuse("LEASE_FOREIGN");
}

/** Ends an attempt whose lease ran out without a heartbeat. */
export function lose(held: HeldJob, nowMs: number): Decision<never> {
  const { job, lease } = held;
  if (job.status !== "RUNNING" || lease === undefined || lease.expiresMs > nowMs) return unchanged;
  const error: JobError = {
    type: "LEASE_EXPIRED",
    message: `Worker "${lease.worker}" sent no heartbeat for attempt ${lease.epoch} and its lease ran out.`,
    retryable: true,
  };
  const ended = end(held, "LOST", nowMs, "", error);
  if (job.cancelRequestMs !== undefined) return cancelled(job, ended);
  if (attemptsUsed(job) >= job.maxAttempts)
    return step(job, "JobFailed", nowMs, { endMs: nowMs, error }, ended);
  return step(job, "JobAttemptLost", nowMs, { error }, ended);
}

/** Ends an attempt that ran longer than the job's timeout. */
export function timeOut(held: HeldJob, at: { nowMs: number; chance: number }): Decision<never> {
  const { job, lease } = held;
  if (job.status !== "RUNNING" || lease === undefined || lease.timeoutMs > at.nowMs) return unchanged;
  const error: JobError = {
    type: "TIMEOUT",
    message: `Attempt ${lease.epoch} ran longer than the job's timeout of ${job.timeoutMs / 1000} s.`,
    retryable: true,
  };
  const ended = end(held, "FAILED", at.nowMs, "", error);
  return fail(job, ended, { error, retryAfterMs: undefined, chance: at.chance });
}

/** Ends a job whose worker did not answer a request to cancel in time. */
export function giveUpWaiting(held: HeldJob, nowMs: number): Decision<never> {
  const { job } = held;
  if (job.status !== "RUNNING" || job.cancelRequestMs === undefined) return unchanged;
  if (job.cancelRequestMs + CANCEL_ANSWER_MS > nowMs) return unchanged;
  return cancelled(job, end(held, "LOST", nowMs, ""));
}

function succeed(job: Job, ended: Attempt): Decision<never> {
  const endMs = ended.endMs ?? ended.startMs;
  return step(job, "JobSucceeded", endMs, { endMs, error: undefined }, ended);
}

function release(job: Job, ended: Attempt): Decision<never> {
  const endMs = ended.endMs ?? ended.startMs;
  const released = job.released + 1;
  if (job.cancelRequestMs !== undefined) return step(job, "JobCancelled", endMs, { endMs, released }, ended);
  return step(job, "JobAttemptReleased", endMs, { released }, ended);
}

function cancelled(job: Job, ended: Attempt): Decision<never> {
  const endMs = ended.endMs ?? ended.startMs;
  return step(job, "JobCancelled", endMs, { endMs, error: ended.error ?? job.error }, ended);
}

function fail(
  job: Job,
  ended: Attempt,
  how: { error: JobError; retryAfterMs: number | undefined; chance: number },
): Decision<never> {
  const endMs = ended.endMs ?? ended.startMs;
  if (job.cancelRequestMs !== undefined) return cancelled(job, ended);
  const failures = job.failures + 1;
  if (!how.error.retryable || attemptsUsed(job) >= job.maxAttempts)
    return step(job, "JobFailed", endMs, { endMs, failures, error: how.error }, ended);
  const delayMs = how.retryAfterMs ?? retryDelayMs(job.retryPolicy, job.failures, how.chance);
  return step(job, "JobRetrying", endMs, { failures, error: how.error, runMs: endMs + delayMs }, ended);
}

/** I5: the outcome of the open attempt. */
export function end(
  held: HeldJob,
  status: Attempt["status"],
  nowMs: number,
  digest: string,
  error?: JobError,
): Attempt {
  const { job, lease } = held;
  const startMs = lease?.startMs ?? job.startMs ?? nowMs;
  return {
    jobId: job.id,
    attempt: job.attempt,
    status,
    worker: lease?.worker ?? "",
    principal: lease?.principal ?? "",
    startMs,
    endMs: Math.max(nowMs, startMs),
    error,
    digest,
  };
}
