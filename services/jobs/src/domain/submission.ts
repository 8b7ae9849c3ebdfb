import type { JobTerms, RetryPolicy, Transition } from "./job.ts";

/** What a caller asks for, with every default filled in. */
export interface Submission {
  readonly project: string;
  readonly task: string;
  readonly queue: string;
  readonly priority: number;
  readonly maxAttempts: number;
  readonly timeoutMs: number;
  readonly retryPolicy: RetryPolicy;
  /** At a time, after a delay, or at once. */
  readonly start: { readonly atMs: number } | { readonly afterMs: number } | "now";
  readonly expireMs: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly concurrencyKey: string;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly missionId: string;
  readonly step: string;
}

/** How far ahead a job can be planned: five years of 365.2425 days. */
export const PLAN_AHEAD_MS = 157_784_760_000;

/** Why a submission cannot be taken, by field; the fields are those of the contract. */
interface FieldProblem {
  readonly field: string;
  readonly description: string;
}

/** Holds what depends on the time of day; the contract's own rules hold the rest. */
export function checkTimes(submission: Submission, nowMs: number): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const { start, expireMs } = submission;
  if (start !== "now" && "atMs" in start && start.atMs > nowMs + PLAN_AHEAD_MS)
    problems.push({ field: "runTime", description: "must be at most 5 years ahead" });
  if (expireMs !== undefined && expireMs <= nowMs)
    problems.push({ field: "expireTime", description: "must be in the future" });
  if (expireMs !== undefined && expireMs > nowMs + PLAN_AHEAD_MS)
    problems.push({ field: "expireTime", description: "must be at most 5 years ahead" });
  return problems;
}

/** Makes a job of a submission: QUEUED if it can run now, SCHEDULED if its time is to come. */
export function submit(submission: Submission, id: string, nowMs: number): Transition {
  const wantedMs = startTime(submission.start, nowMs);
  const later = wantedMs > nowMs;
  return {
    from: undefined,
    fact: later ? "JobScheduled" : "JobQueued",
    occurredMs: nowMs,
    attempt: undefined,
    job: {
      ...termsOf(submission, id, nowMs),
      status: later ? "SCHEDULED" : "QUEUED",
      version: 1,
      attempt: 0,
      maxAttempts: submission.maxAttempts,
      released: 0,
      failures: 0,
      runMs: later ? wantedMs : nowMs,
      startMs: undefined,
      endMs: undefined,
      expireMs: submission.expireMs,
      error: undefined,
      cancelRequestMs: undefined,
      reason: "",
    },
  };
}

function startTime(start: Submission["start"], nowMs: number): number {
  if (start === "now") return nowMs;
  return "atMs" in start ? start.atMs : nowMs + start.afterMs;
}

function termsOf(submission: Submission, id: string, nowMs: number): JobTerms {
  const { start: _start, expireMs: _expireMs, maxAttempts, ...terms } = submission;
  return { ...terms, id, createMs: nowMs, attemptsSubmitted: maxAttempts };
}
