/** Where an alert stands. The database's CHECK constraint and the contract's enum hold the same names. */
export type AlertStatus = keyof typeof NEXT;

/**
 * A1: every legal step of an alert, and no other. `MUTED → MUTED` moves the end of the mute; `MUTED → FIRING` is
 * that end. RESOLVED is left by nothing: what comes back is a new alert.
 */
export const NEXT = {
  FIRING: ["ACKNOWLEDGED", "MUTED", "RESOLVED"],
  ACKNOWLEDGED: ["MUTED", "RESOLVED"],
  MUTED: ["FIRING", "ACKNOWLEDGED", "MUTED", "RESOLVED"],
  RESOLVED: [],
} as const satisfies Record<string, readonly string[]>;

/** Every status, in the order of an alert's life. */
export const ALERT_STATUSES = Object.keys(NEXT) as readonly AlertStatus[];

/** What each fact says happened, with the status that the alert has after it. There are no other facts. */
export const STATUS_AFTER = {
  AlertFired: "FIRING",
  AlertAcknowledged: "ACKNOWLEDGED",
  AlertMuted: "MUTED",
  AlertResolved: "RESOLVED",
} as const satisfies Record<string, AlertStatus>;

/** The name of a fact, which is the name of its event. */
export type FactName = keyof typeof STATUS_AFTER;

/** How bad an alert is, the worst first. */
export const SEVERITIES = ["CRITICAL", "WARNING", "INFO"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Whether the table allows the step. */
export const canFollow = (from: AlertStatus, to: AlertStatus): boolean =>
  (NEXT[from] as readonly AlertStatus[]).includes(to);
