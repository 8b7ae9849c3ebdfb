import { RESERVED, type ToldJob } from "./job.ts";
import type { QueueLimits } from "./queue-limits.ts";

/** The one reason that holds a job, for a program and for a person. */
export interface Blocked {
  readonly reason:
    | "SCHEDULED"
    | "RETRY_BACKOFF"
    | "QUEUE_PAUSED"
    | "NO_WORKER"
    | "CONCURRENCY_LIMIT"
    | "RATE_LIMIT"
    | "WAITING_FOR_SLOT";
  readonly message: string;
  readonly untilMs: number | undefined;
  readonly position: number | undefined;
}

/** What is known around a QUEUED job. */
export interface Surroundings {
  readonly paused: boolean;
  readonly limits: QueueLimits;
  readonly running: number;
  readonly runningWithKey: number;
  readonly starts: number;
  /** When the oldest start leaves the rate's period; absent where no start is counted. */
  readonly rateFreeMs: number | undefined;
  /** Workers seen lately that serve the job's task and queue and are not draining. */
  readonly workers: number;
  /** Tasks that live workers of the platform serve; looked for only where the job's task is reserved for them. */
  readonly builtIn: readonly string[];
  /** How many jobs of its queue come first, of its task or what its workers take besides, plus one; at most 1,000. */
  readonly position: number;
}

/**
 * Says why a job is not running, the strongest reason first: a pause holds whatever else there is, a missing
 * worker before any limit.
 *
 * @returns absent while RUNNING and after the end
 */
export function blocked(job: ToldJob, around: Surroundings | undefined): Blocked | undefined {
  if (job.status === "SCHEDULED")
    return until("SCHEDULED", job.runMs, `It is planned for ${timeText(job.runMs)} and is queued then.`);
  if (job.status === "RETRYING") {
    const next = `Attempt ${job.attempt} failed; attempt ${job.attempt + 1} can start at ${timeText(job.runMs)}.`;
    return until("RETRY_BACKOFF", job.runMs, next);
  }
  if (job.status !== "QUEUED" || around === undefined) return undefined;
  return held(job, around);
}

function held(job: ToldJob, around: Surroundings): Blocked {
  const { limits, position } = around;
  const queue = `Queue "${job.queue}"`;
  if (around.paused)
    return at(position, "QUEUE_PAUSED", `${queue} is paused; the job can start once the queue is resumed.`);
  if (around.workers === 0) return at(position, "NO_WORKER", unserved(job, around.builtIn));
  if (limits.concurrency > 0 && around.running >= limits.concurrency) {
    const full = `${queue} runs ${around.running} of at most ${limits.concurrency} jobs; it can start when one ends.`;
    return at(position, "CONCURRENCY_LIMIT", full);
  }
  const keyFull = limits.concurrencyPerKey > 0 && around.runningWithKey >= limits.concurrencyPerKey;
  if (job.concurrencyKey !== "" && keyFull) {
    const used = `${around.runningWithKey} of at most ${limits.concurrencyPerKey} jobs`;
    const full = `${queue} runs ${used} with key "${job.concurrencyKey}"; it can start when one ends.`;
    return at(position, "CONCURRENCY_LIMIT", full);
  }
  if (limits.rateLimit > 0 && around.starts >= limits.rateLimit) {
    const period = `${limits.ratePeriodMs / 1000} s`;
    const spent = `${queue} started ${limits.rateLimit} jobs within ${period}; it can start after that.`;
    return { ...at(position, "RATE_LIMIT", spent), untilMs: around.rateFreeMs };
  }
  return at(position, "WAITING_FOR_SLOT", waiting(position));
}

/** What nobody serves, and what to do about it. */
function unserved({ task, queue }: ToldJob, builtIn: readonly string[]): string {
  const nobody = `No live worker serves task "${task}" in queue "${queue}"`;
  if (!task.startsWith(RESERVED)) {
    const asks = JSON.stringify({ tasks: [task], queues: [queue], worker: "me" });
    return `${nobody}; start one, which asks for work by POST /v1/work:lease with ${asks}.`;
  }
  if (builtIn.length === 0)
    return `${nobody}, and only the platform's own may; "npx orrery doctor" says what is wrong with them.`;
  return `There is no built-in task "${task}", and nobody else may serve it; there are ${builtIn.join(", ")}.`;
}

function waiting(position: number): string {
  if (position <= 1) return "It is next in its queue and starts as soon as a worker has a free slot.";
  const ahead =
    position >= 1_000 ? "At least 999 jobs are" : `${position - 1} ${position === 2 ? "job is" : "jobs are"}`;
  return `${ahead} ahead of it in its queue for its workers; it starts when one has a free slot.`;
}

const at = (position: number, reason: Blocked["reason"], message: string): Blocked => ({
  reason,
  message,
  untilMs: undefined,
  position,
});

const until = (reason: Blocked["reason"], untilMs: number, message: string): Blocked => ({
  reason,
  message,
  untilMs,
  position: undefined,
});

const timeText = (ms: number): string => new Date(ms).toISOString();
