import type { Searched } from "./fields.ts";

/** The statuses of a job; a query writes them in any letter case. */
export const JOB_STATUSES = [
  "SCHEDULED",
  "QUEUED",
  "RUNNING",
  "RETRYING",
  "SUCCEEDED",
  "FAILED",
  "CANCELLED",
  "EXPIRED",
] as const;

/** The statuses of a mission. */
export const MISSION_STATUSES = [
  "PENDING",
  "RUNNING",
  "COMPENSATING",
  "NEEDS_ATTENTION",
  "SUCCEEDED",
  "FAILED",
  "COMPENSATED",
  "CANCELLED",
] as const;

/** The statuses of an alert. */
export const ALERT_STATUSES = ["FIRING", "ACKNOWLEDGED", "MUTED", "RESOLVED"] as const;

const SEARCHED: Readonly<Record<Searched, readonly string[]>> = {
  jobs: JOB_STATUSES,
  missions: MISSION_STATUSES,
  events: [...new Set([...JOB_STATUSES, ...MISSION_STATUSES])],
};

/** The statuses that can be asked for where something is searched. */
export function statusesOf(searched: Searched): readonly string[] {
  return SEARCHED[searched];
}
