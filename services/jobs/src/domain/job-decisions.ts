// The rules for what a caller, or the passing of time, does to a job as a whole.
import { end, type HeldJob } from "./attempt-decisions.ts";
import { attemptsUsed, type Decision, type Job, refuse, step, unchanged } from "./job.ts";
import { hasEnded } from "./job-state.ts";

/** Why a caller's command is not carried out. */
export type CommandRefusal =
  | "NOT_FOUND"
  | "JOB_ALREADY_FINISHED"
  | "JOB_NOT_RETRYABLE"
  | "JOB_OWNED_BY_MISSION";

/** A command of a caller about one job. */
export interface JobCommand {
  readonly kind: "cancel" | "retry";
  readonly reason: string;
  /** Whether the mission asks that owns the job: a mission's jobs obey it alone, and it has a say in no others. */
  readonly byMission: boolean;
}

/** Carries out a caller's command, or says why not. A job of another project is as good as none. */
export function obey(
  job: Job | undefined,
  project: string,
  command: JobCommand,
  nowMs: number,
): Decision<CommandRefusal> {
  if (job === undefined || job.project !== project) return refuse("NOT_FOUND");
  if (command.byMission && job.missionId === "") return refuse("NOT_FOUND");
  if (!command.byMission && job.missionId !== "") return refuse("JOB_OWNED_BY_MISSION");
  return command.kind === "cancel" ? cancel(job, command.reason, nowMs) : retry(job, command.reason, nowMs);
}

/** At once where nothing runs; where something does, its worker is asked, once. */
function cancel(job: Job, reason: string, nowMs: number): Decision<CommandRefusal> {
  if (job.status === "CANCELLED") return unchanged;
  if (hasEnded(job.status)) return refuse("JOB_ALREADY_FINISHED");
  if (job.status !== "RUNNING") return step(job, "JobCancelled", nowMs, { endMs: nowMs, reason });
  if (job.cancelRequestMs !== undefined) return unchanged;
  return step(job, "JobCancelRequested", nowMs, { cancelRequestMs: nowMs, reason });
}

/** As many attempts again as were submitted; the backoff starts over. */
function retry(job: Job, reason: string, nowMs: number): Decision<CommandRefusal> {
  if (!hasEnded(job.status) || job.status === "SUCCEEDED") return refuse("JOB_NOT_RETRYABLE");
  const expired = job.expireMs !== undefined && job.expireMs <= nowMs;
  return step(job, "JobQueued", nowMs, {
    maxAttempts: attemptsUsed(job) + job.attemptsSubmitted,
    failures: 0,
    runMs: nowMs,
    startMs: undefined,
    endMs: undefined,
    error: undefined,
    cancelRequestMs: undefined,
    expireMs: expired ? undefined : job.expireMs,
    reason,
  });
}

/** Makes a job that waited for its time ready to be leased. */
export function promote(job: Job, nowMs: number): Decision<never> {
  const waits = job.status === "SCHEDULED" || job.status === "RETRYING";
  if (!waits || job.runMs > nowMs) return unchanged;
  return step(job, "JobQueued", nowMs, {});
}

/** Ends an open job whose time to end has come, RUNNING too. */
export function expire(held: HeldJob, nowMs: number): Decision<never> {
  const { job } = held;
  if (hasEnded(job.status) || job.expireMs === undefined || job.expireMs > nowMs) return unchanged;
  const ended = job.status === "RUNNING" ? end(held, "LOST", nowMs, "") : undefined;
  return step(job, "JobExpired", nowMs, { endMs: nowMs }, ended);
}
