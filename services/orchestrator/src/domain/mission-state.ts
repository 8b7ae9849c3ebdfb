/**
 * Where a mission stands. The database's CHECK constraint and the contract's enum hold the same names; a test
 * compares them.
 */
export type MissionStatus = keyof typeof NEXT;

/** Every legal step of a mission, and no other. A status that stays is a transition of one of its steps. */
export const NEXT = {
  PENDING: ["PENDING", "RUNNING", "CANCELLED"],
  RUNNING: ["RUNNING", "COMPENSATING", "NEEDS_ATTENTION", "SUCCEEDED", "FAILED", "CANCELLED"],
  COMPENSATING: ["COMPENSATING", "NEEDS_ATTENTION", "COMPENSATED", "FAILED", "CANCELLED"],
  NEEDS_ATTENTION: ["NEEDS_ATTENTION", "RUNNING", "COMPENSATING"],
  SUCCEEDED: [],
  FAILED: [],
  COMPENSATED: [],
  CANCELLED: [],
} as const satisfies Record<string, readonly string[]>;

/** Every status, in the order of a mission's life. */
export const MISSION_STATUSES = Object.keys(NEXT) as readonly MissionStatus[];

/** The statuses that a mission never leaves. */
export const ENDS = ["SUCCEEDED", "FAILED", "COMPENSATED", "CANCELLED"] as const satisfies MissionStatus[];

/** The statuses of a mission that has not ended. */
export const OPEN = [
  "PENDING",
  "RUNNING",
  "COMPENSATING",
  "NEEDS_ATTENTION",
] as const satisfies MissionStatus[];

/** Where a step stands. */
export type StepStatus = keyof typeof STEP_NEXT;

/** Every legal step of a step. What a person retries or resolves leaves FAILED, UNKNOWN and UNDO_FAILED. */
const STEP_NEXT = {
  PENDING: ["RUNNING", "FAILED", "SKIPPED"],
  RUNNING: ["SUCCEEDED", "FAILED", "UNKNOWN"],
  SUCCEEDED: ["UNDOING", "UNDO_FAILED"],
  FAILED: ["RUNNING", "FAILED", "SUCCEEDED"],
  UNKNOWN: ["RUNNING", "SUCCEEDED", "FAILED", "UNDOING", "UNDONE", "UNDO_FAILED"],
  SKIPPED: [],
  UNDOING: ["UNDONE", "UNDO_FAILED"],
  UNDONE: [],
  UNDO_FAILED: ["UNDOING", "UNDONE", "UNDO_FAILED"],
} as const satisfies Record<string, readonly string[]>;

/** Every status of a step, in the order of its life. */
export const STEP_STATUSES = Object.keys(STEP_NEXT) as readonly StepStatus[];

/**
 * What each fact says happened, with the status that the mission has after it; "same" where it is about a step
 * alone. There are no other facts.
 */
export const STATUS_AFTER = {
  MissionCreated: "PENDING",
  MissionStarted: "RUNNING",
  MissionStepStarted: "same",
  MissionStepSucceeded: "same",
  MissionStepFailed: "same",
  MissionStepUnknown: "same",
  MissionStepSkipped: "same",
  MissionCancelRequested: "same",
  MissionCompensationStarted: "COMPENSATING",
  MissionStepUndoStarted: "same",
  MissionStepUndone: "same",
  MissionStepUndoFailed: "same",
  MissionNeedsAttention: "NEEDS_ATTENTION",
  MissionRetried: "resumed",
  MissionResolved: "resumed",
  MissionSucceeded: "SUCCEEDED",
  MissionFailed: "FAILED",
  MissionCompensated: "COMPENSATED",
  MissionCancelled: "CANCELLED",
} as const satisfies Record<string, MissionStatus | "same" | "resumed">;

/** The name of a fact, which is the name of its event. */
export type FactName = keyof typeof STATUS_AFTER;

/** Whether the mission has ended. */
export const hasEnded = (status: MissionStatus): boolean =>
  (ENDS as readonly MissionStatus[]).includes(status);

/** Whether the table allows the step of a mission. */
export const canFollow = (from: MissionStatus, to: MissionStatus): boolean =>
  (NEXT[from] as readonly MissionStatus[]).includes(to);

/** Whether the table allows the step of a step. */
export const stepCanFollow = (from: StepStatus, to: StepStatus): boolean =>
  (STEP_NEXT[from] as readonly StepStatus[]).includes(to);
