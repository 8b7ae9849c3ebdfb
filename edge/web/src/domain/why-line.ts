import type { Job, Mission, Queue, Worker } from "../api/contract.ts";
import { countText } from "../words/count-text.ts";
import type { Tone } from "./status-look.ts";

/** Why something stands where it stands, and what happens next. */
export interface Why {
  readonly tone: Tone;
  readonly text: string;
  /** When it changes by itself. */
  readonly until?: string;
}

/** What else the read model knows that can hold a job; undefined where it has not been read yet. */
export interface Around {
  readonly queues: readonly Queue[] | undefined;
  readonly workers: readonly Worker[] | undefined;
}

/** Why a job stands where it stands; undefined where its status says it all. */
export function whyOfJob(job: Job, around: Around): Why | undefined {
  if (job.blocked !== undefined) {
    const { message, until, reason } = job.blocked;
    const tone = reason === "NO_WORKER" || reason === "QUEUE_PAUSED" ? "warn" : "waiting";
    return { tone, text: message, ...(until !== undefined && { until }) };
  }
  if (job.status === "RUNNING" && job.cancelRequestTime !== undefined)
    return { tone: "warn", text: "A cancellation was asked for; its worker has 10 seconds to say so." };
  if (job.status === "FAILED") return { tone: "bad", text: failure(job) };
  if (job.status === "EXPIRED") return { tone: "warn", text: "Its expireTime passed before it had ended." };
  if (job.status === "CANCELLED") return { tone: "quiet", text: "It was cancelled by request." };
  return whyItWaits(job, around);
}

/**
 * Why a job waits, where the answer itself does not say so: the read model knows a job's transitions, and who holds it
 * back now is no transition.
 */
function whyItWaits(job: Job, { queues, workers }: Around): Why | undefined {
  const { status, runTime, task, attempt } = job;
  const until = runTime === undefined ? {} : { until: runTime };
  if (status === "SCHEDULED") return { tone: "waiting", text: "It waits for its runTime.", ...until };
  if (status === "RETRYING")
    return {
      tone: "waiting",
      text: `Attempt ${attempt} failed; the next one begins after its backoff.`,
      ...until,
    };
  if (status !== "QUEUED") return undefined;
  const queue = queues?.find(({ name }) => name === job.queue);
  if (queue?.paused)
    return { tone: "warn", text: `Its queue ${queue.name} is paused: it runs once that is resumed.` };
  if (workers !== undefined && !workers.some((worker) => serves(worker, job)))
    return {
      tone: "warn",
      text: `No worker of the last minute serves ${task} in queue ${job.queue}: start one.`,
    };
  const { RUNNING: running = 0, QUEUED: queued = 0 } = queue?.depth ?? {};
  if (queue !== undefined && queue.concurrency > 0 && running >= queue.concurrency)
    return {
      tone: "waiting",
      text: `Queue ${queue.name} runs ${countText(running)} at once, which is its limit.`,
    };
  if (queue === undefined) return undefined;
  return {
    tone: "waiting",
    text: `It waits its turn in queue ${queue.name}, where ${countText(queued)} are queued.`,
  };
}

const serves = ({ tasks, queues, draining }: Worker, { task, queue }: Job): boolean =>
  !draining && tasks.includes(task) && (queues.length === 0 || queues.includes(queue));

function failure({ error, attempt, maxAttempts }: Job): string {
  const what = error === undefined ? "failed" : `${error.type}: ${error.message}`;
  const after =
    error?.retryable === false
      ? "the error is not retryable"
      : `no attempt is left (${attempt} of ${maxAttempts})`;
  return `${what} — ${after}.`;
}

/**
 * Why a mission stands where it stands; undefined where its status says it all.
 *
 * @param waiting - those of its jobs that wait
 */
export function whyOfMission(mission: Mission, waiting: readonly Job[] = []): Why | undefined {
  const why = whyOfStatus(mission);
  const held = waiting.flatMap((job) => {
    const reason = whyOfJob(job, { queues: undefined, workers: undefined });
    return reason === undefined ? [] : [{ step: job.step, reason }];
  });
  // What needs somebody is said before what goes on by itself.
  const first = held.find(({ reason }) => reason.tone === "warn") ?? held[0];
  if (why === undefined || first === undefined) return why;
  const tone = why.tone === "warn" ? why.tone : first.reason.tone;
  return { ...first.reason, tone, text: `${why.text} ${first.step} waits: ${first.reason.text}` };
}

function whyOfStatus(mission: Mission): Why | undefined {
  const { error, status, steps } = mission;
  const cause =
    error === undefined ? "" : `${error.step ? `${error.step}: ` : ""}${error.type}: ${error.message}`;
  if (status === "NEEDS_ATTENTION")
    return { tone: "bad", text: `${cause || "It cannot go on by itself"} — retry or resolve it.` };
  if (status === "COMPENSATING") {
    const left = steps.filter(
      (step) => ["SUCCEEDED", "UNDOING"].includes(step.status) && step.undoTask !== "",
    ).length;
    return {
      tone: "warn",
      text: `${cause || "A cancellation was asked for"} — ${left} of its steps still have to be undone.`,
    };
  }
  if (status === "COMPENSATED")
    return { tone: "warn", text: `${cause || "It was cancelled"} — everything that was done is undone.` };
  if (status === "FAILED") return { tone: "bad", text: `${cause} — there was nothing to undo.` };
  const runs = steps.filter((step) => step.status === "RUNNING").map(({ name }) => name);
  if (status === "RUNNING" && runs.length > 0) return { tone: "active", text: `Now at ${runs.join(", ")}.` };
  return undefined;
}
