import type { Attempt, Job } from "../api/contract.ts";
import { timeMs } from "../words/time-text.ts";
import { hasEnded } from "./status-look.ts";

/** A stretch of a job's life; `from` and `width` are parts of the whole, 0 to 1. */
export interface Stretch {
  readonly kind: "waiting" | "running";
  readonly from: number;
  readonly width: number;
  readonly tookMs: number;
}

/** One attempt: how long the job waited before it, and how long it ran. */
export interface AttemptRow {
  readonly attempt: Attempt;
  readonly waited: Stretch;
  readonly ran: Stretch;
  /** Still under way: it grows. */
  readonly open: boolean;
}

export interface AttemptTimeline {
  readonly rows: readonly AttemptRow[];
  /** The wait that goes on now, or that was never ended by an attempt. */
  readonly waiting: Stretch | undefined;
  readonly wholeMs: number;
}

/**
 * The life of a job from its submission to its end, or to now. Waiting is kept apart from running: a job that ran for a
 * second after an hour in its queue is no slow job.
 */
export function attemptTimeline(job: Job, attempts: readonly Attempt[], nowMs: number): AttemptTimeline {
  const createdMs = timeMs(job.createTime) ?? nowMs;
  const endedMs = hasEnded(job.status) ? (timeMs(job.endTime) ?? nowMs) : nowMs;
  const wholeMs = Math.max(1, endedMs - createdMs);
  const stretch = (kind: Stretch["kind"], fromMs: number, toMs: number): Stretch => ({
    kind,
    from: Math.max(0, fromMs - createdMs) / wholeMs,
    width: Math.max(0, toMs - fromMs) / wholeMs,
    tookMs: Math.max(0, toMs - fromMs),
  });
  let freeMs = createdMs;
  const rows = attempts.map((attempt): AttemptRow => {
    const startMs = timeMs(attempt.startTime) ?? freeMs;
    const endMs = timeMs(attempt.endTime) ?? endedMs;
    const waited = stretch("waiting", Math.min(freeMs, startMs), startMs);
    freeMs = endMs;
    return { attempt, waited, ran: stretch("running", startMs, endMs), open: attempt.endTime === undefined };
  });
  const runs = rows.at(-1)?.open ?? false;
  return {
    rows,
    wholeMs,
    waiting: runs || freeMs >= endedMs ? undefined : stretch("waiting", freeMs, endedMs),
  };
}
