// What Alertmanager's word does to alerts.
//
// A3: fingerprint and start name one alert, for ever: hearing the same again changes nothing.
// A4: at most one alert of a fingerprint is open. Alertmanager knows one occurrence of it at a time, so a later one
// says that the one before is over, even where nobody said so (it forgets all that it knew when it restarts).
import { type Alert, type AlertTerms, fired, next, type Transition } from "./alert.ts";

/** One alert as Alertmanager tells of it. Its id is that of the alert, should it be a new one. */
export interface Notice extends AlertTerms {
  /** When it was over; undefined while it fires. */
  readonly overMs: number | undefined;
}

/** What is known of one fingerprint. */
export interface Known {
  readonly open: Alert | undefined;
  /** The starts of its alerts that are named by the notices at hand, in epoch milliseconds. */
  readonly starts: ReadonlySet<number>;
}

/** What to do about the notices of one fingerprint, in the order in which they came. */
export function hear(known: Known, notices: readonly Notice[], nowMs: number): readonly Transition[] {
  const starts = new Set(known.starts);
  const steps: Transition[] = [];
  let { open } = known;
  const take = (step: Transition): void => {
    steps.push(step);
    open = step.alert.status === "RESOLVED" ? undefined : step.alert;
  };
  for (const { overMs, ...terms } of notices) {
    // A start before that of what is open, and not known, is the same occurrence: another Prometheus saw it earlier.
    const isNew = !starts.has(terms.startMs) && (open === undefined || open.startMs < terms.startMs);
    if (isNew) {
      if (open !== undefined) take(resolved(open, terms.startMs, nowMs));
      // One that came and went between two notifications was there all the same.
      take(fired(terms, nowMs));
      starts.add(terms.startMs);
    }
    const isOfOpen = open?.startMs === terms.startMs || !starts.has(terms.startMs);
    if (overMs !== undefined && open !== undefined && isOfOpen) take(resolved(open, overMs, nowMs));
  }
  return steps;
}

/** Ends an open alert that Alertmanager no longer knows of. */
export const forgotten = (alert: Alert, nowMs: number): Transition => resolved(alert, nowMs, nowMs);

/** A clock that runs ahead must not end an alert in the future, nor one that runs behind before its start. */
function resolved(alert: Alert, endMs: number, nowMs: number): Transition {
  const clamped = Math.max(alert.startMs, Math.min(endMs, nowMs));
  return next(alert, "AlertResolved", nowMs, { endMs: clamped, mute: undefined });
}
