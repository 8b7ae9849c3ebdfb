import { type AlertStatus, canFollow, type FactName, type Severity, STATUS_AFTER } from "./alert-state.ts";

/** What led to a step: joins it to everything else that one request led to. */
export interface Cause {
  readonly correlationId: string;
  readonly traceparent: string;
}

/** What never changes about an alert: what its first notice said. */
export interface AlertTerms extends Cause {
  /** A UUIDv7. */
  readonly id: string;
  /** What Alertmanager knows the alert by: the same for every occurrence. */
  readonly fingerprint: string;
  readonly name: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly description: string;
  /** The name of a runbook, or empty. */
  readonly runbook: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly startMs: number;
}

/** Somebody's doing, and when. */
export interface Act {
  readonly principal: string;
  readonly atMs: number;
}

/** A mute that is on: by whom, and until when. */
export interface Mute {
  readonly principal: string;
  readonly untilMs: number;
}

/** One alert, from firing to resolved. Times are epoch milliseconds. */
export interface Alert extends AlertTerms {
  readonly status: AlertStatus;
  /** A2: grows by one with each transition. */
  readonly version: number;
  readonly endMs: number | undefined;
  readonly acknowledged: Act | undefined;
  /** Only while MUTED. */
  readonly mute: Mute | undefined;
  /** What the one who changed it last wrote about it. */
  readonly note: string;
}

/** One step of one alert: a new version, and the fact that tells of it. */
export interface Transition {
  readonly alert: Alert;
  /** Undefined at its beginning. */
  readonly from: AlertStatus | undefined;
  readonly fact: FactName;
  readonly occurredMs: number;
  /** Somebody's request; what led to the alert where nobody asked. */
  readonly cause?: Cause;
}

/** What a rule says about an alert. */
export type Decision<R extends string> =
  | { readonly kind: "step"; readonly step: Transition }
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly reason: R };

/** Nothing happens: it is as asked already. */
export const unchanged = { kind: "unchanged" } as const;

/** It is not done, and the caller is told why. */
export const refuse = <R extends string>(reason: R): Decision<R> => ({ kind: "refused", reason });

/** The parts of an alert that a step may change. */
export type Changes = Partial<Pick<Alert, "endMs" | "acknowledged" | "mute" | "note">>;

/** The first version of an alert. */
export function fired(terms: AlertTerms, nowMs: number): Transition {
  const alert: Alert = {
    ...terms,
    status: "FIRING",
    version: 1,
    endMs: undefined,
    acknowledged: undefined,
    mute: undefined,
    note: "",
  };
  return { alert, from: undefined, fact: "AlertFired", occurredMs: nowMs };
}

/** The next version of an alert. @throws Error for a step that A1 does not have: a defect of the caller */
export function next(alert: Alert, fact: FactName, nowMs: number, changes: Changes): Transition {
  const status = STATUS_AFTER[fact];
  if (!canFollow(alert.status, status)) throw new Error(`${fact} cannot follow ${alert.status}`);
  return {
    alert: { ...alert, ...changes, status, version: alert.version + 1 },
    from: alert.status,
    fact,
    occurredMs: nowMs,
  };
}
