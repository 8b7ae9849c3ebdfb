/**
 * Where a job stands. The database's CHECK constraint and the contract's enum hold the same names; a test
 * compares them.
 */
export type JobStatus = keyof typeof NEXT;

/**
 * Every legal step of a job, and no other. `RUNNING → RUNNING` is the request to cancel it; an end is left by
 * a retry by hand only (I3).
 */
export const NEXT = {
  SCHEDULED: ["QUEUED", "CANCELLED", "EXPIRED"],
  QUEUED: ["RUNNING", "CANCELLED", "EXPIRED"],
  RUNNING: ["RUNNING", "QUEUED", "RETRYING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"],
  RETRYING: ["QUEUED", "CANCELLED", "EXPIRED"],
  SUCCEEDED: [],
  FAILED: ["QUEUED"],
  CANCELLED: ["QUEUED"],
  EXPIRED: ["QUEUED"],
} as const satisfies Record<string, readonly string[]>;

/** Every status, in the order of a job's life. */
export const JOB_STATUSES = Object.keys(NEXT) as readonly JobStatus[];

/** The statuses that a job does not leave by itself. */
export const ENDS = ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"] as const satisfies readonly JobStatus[];

/** The statuses of a job that has not ended. */
export const OPEN = ["SCHEDULED", "QUEUED", "RUNNING", "RETRYING"] as const satisfies readonly JobStatus[];

/** What each fact says happened, with the status that the job has after it. There are no other facts. */
export const STATUS_AFTER = {
  JobScheduled: "SCHEDULED",
  JobQueued: "QUEUED",
  JobStarted: "RUNNING",
  JobRetrying: "RETRYING",
  JobAttemptLost: "QUEUED",
  JobAttemptReleased: "QUEUED",
  JobCancelRequested: "RUNNING",
  JobSucceeded: "SUCCEEDED",
  JobFailed: "FAILED",
  JobCancelled: "CANCELLED",
  JobExpired: "EXPIRED",
} as const satisfies Record<string, JobStatus>;

/** The name of a fact, which is the name of its event. */
export type FactName = keyof typeof STATUS_AFTER;

/** The fact that an event tells: the last word of its type. */
export const factOf = (eventType: string): FactName =>
  eventType.slice(eventType.lastIndexOf(".") + 1) as FactName;

/** How an attempt stands: `RUNNING` until it ended, then one of the others, for good (I5). */
export const ATTEMPT_STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "LOST", "CANCELLED", "RELEASED"] as const;
export type AttemptStatus = (typeof ATTEMPT_STATUSES)[number];

/** Whether the job has ended. */
export const hasEnded = (status: JobStatus): boolean => (ENDS as readonly JobStatus[]).includes(status);

/** Whether the table allows the step. */
export const canFollow = (from: JobStatus, to: JobStatus): boolean =>
  (NEXT[from] as readonly JobStatus[]).includes(to);
