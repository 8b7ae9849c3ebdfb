import type { Alert, Attempt, Job, Mission, MissionStep } from "../api/contract.ts";

/** What a status means to somebody who looks: the colour it gets. */
export type Tone = "quiet" | "waiting" | "active" | "good" | "bad" | "warn";

/** The mark beside the word. No two that can stand side by side share shape and tone. */
export type Shape =
  | "clock"
  | "ring"
  | "play"
  | "loop"
  | "check"
  | "cross"
  | "slash"
  | "hourglass"
  | "back"
  | "triangle"
  | "question"
  | "dash"
  | "dot"
  | "bell-off";

export interface Look {
  readonly word: string;
  readonly tone: Tone;
  readonly shape: Shape;
}

type Unspecified = "STATUS_UNSPECIFIED";
export type StatusName = Exclude<
  Job["status"] | Attempt["status"] | Mission["status"] | MissionStep["status"] | Alert["status"],
  Unspecified
>;

/** A status is told by shape, word and colour, so that none of them is needed. */
const LOOKS = {
  SCHEDULED: { word: "scheduled", tone: "quiet", shape: "clock" },
  QUEUED: { word: "queued", tone: "waiting", shape: "ring" },
  PENDING: { word: "pending", tone: "quiet", shape: "ring" },
  RUNNING: { word: "running", tone: "active", shape: "play" },
  RETRYING: { word: "retrying", tone: "warn", shape: "loop" },
  SUCCEEDED: { word: "succeeded", tone: "good", shape: "check" },
  FAILED: { word: "failed", tone: "bad", shape: "cross" },
  LOST: { word: "lost", tone: "bad", shape: "question" },
  CANCELLED: { word: "cancelled", tone: "quiet", shape: "slash" },
  EXPIRED: { word: "expired", tone: "warn", shape: "hourglass" },
  RELEASED: { word: "released", tone: "quiet", shape: "back" },
  COMPENSATING: { word: "compensating", tone: "warn", shape: "back" },
  COMPENSATED: { word: "compensated", tone: "good", shape: "back" },
  NEEDS_ATTENTION: { word: "needs attention", tone: "bad", shape: "triangle" },
  UNKNOWN: { word: "unknown outcome", tone: "warn", shape: "question" },
  SKIPPED: { word: "skipped", tone: "quiet", shape: "dash" },
  UNDOING: { word: "undoing", tone: "active", shape: "back" },
  UNDONE: { word: "undone", tone: "good", shape: "back" },
  UNDO_FAILED: { word: "undo failed", tone: "bad", shape: "triangle" },
  FIRING: { word: "firing", tone: "bad", shape: "triangle" },
  ACKNOWLEDGED: { word: "acknowledged", tone: "warn", shape: "dot" },
  MUTED: { word: "muted", tone: "quiet", shape: "bell-off" },
  RESOLVED: { word: "resolved", tone: "good", shape: "check" },
} as const satisfies Record<StatusName, Look>;

/** How a status looks. One that a newer platform knows and this page does not is shown by its own name. */
export function lookOf(status: string): Look {
  const known = Object.hasOwn(LOOKS, status) ? LOOKS[status as StatusName] : undefined;
  return known ?? { word: status.toLowerCase().replaceAll("_", " "), tone: "quiet", shape: "question" };
}

/** Every status that has a look. */
export const STATUSES = Object.keys(LOOKS) as readonly StatusName[];

/** The statuses of a job in the order of its life; the query language takes these words. */
export const JOB_STATUSES = [
  "SCHEDULED",
  "QUEUED",
  "RUNNING",
  "RETRYING",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "EXPIRED",
] as const satisfies readonly Job["status"][];

const ENDS: readonly string[] = ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", "COMPENSATED"];

/** Whether a job or mission of this status has come to its end. */
export const hasEnded = (status: string): boolean => ENDS.includes(status);

/** How an alert's severity is told. */
export const SEVERITY_LOOK = {
  CRITICAL: { word: "critical", tone: "bad", shape: "triangle" },
  WARNING: { word: "warning", tone: "warn", shape: "triangle" },
  INFO: { word: "info", tone: "waiting", shape: "dot" },
  SEVERITY_UNSPECIFIED: { word: "no severity", tone: "quiet", shape: "dot" },
} as const satisfies Record<Alert["severity"], Look>;
