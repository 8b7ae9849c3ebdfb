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

/** How many years of the calendar, in UTC, a job can be planned ahead. */
const PLAN_AHEAD_YEARS = 5;

/** Why a submission cannot be taken, by field; the fields are those of the contract. */
interface FieldProblem {
  readonly field: string;
  readonly description: string;
}

/** Holds what depends on the time of day; the contract's own rules hold the rest. */
export function checkTimes(submission: Submission, nowMs: number): readonly FieldProblem[] {
  const problems: FieldProblem[] = [];
  const { start, expireMs } = submission;
  if (start !== "now" && "atMs" in start && isTooFarAhead(start.atMs, nowMs))
    problems.push({ field: "runTime", description: TOO_FAR_AHEAD });
  if (expireMs !== undefined && expireMs <= nowMs)
    problems.push({ field: "expireTime", description: "must be in the future" });
  if (expireMs !== undefined && isTooFarAhead(expireMs, nowMs))
    problems.push({ field: "expireTime", description: TOO_FAR_AHEAD });
  return problems;
}

const TOO_FAR_AHEAD = `must be at most ${PLAN_AHEAD_YEARS} years ahead`;

function isTooFarAhead(timeMs: number, nowMs: number): boolean {
  const latest = new Date(nowMs);
  return timeMs > latest.setUTCFullYear(latest.getUTCFullYear() + PLAN_AHEAD_YEARS);
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
