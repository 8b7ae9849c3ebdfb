import type { Job, Mission } from "../api/contract.ts";
import type { Tone } from "./status-look.ts";

/** Why something stands where it stands, and what happens next. */
export interface Why {
  readonly tone: Tone;
  readonly text: string;
  /** When it changes by itself. */
  readonly until?: string;
}

/** Why a job stands where it stands; undefined where its status says it all, or nobody has said it yet. */
export function whyOfJob(job: Job): Why | undefined {
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
  return undefined;
}

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
    const reason = whyOfJob(job);
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
