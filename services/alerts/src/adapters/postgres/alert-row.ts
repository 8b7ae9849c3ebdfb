import type { Alert, Transition } from "../../domain/alert.ts";
import type { AlertStatus, Severity } from "../../domain/alert-state.ts";

/** A row of `alert` as the driver gives it: times in epoch milliseconds, JSON as text. */
export interface AlertRow {
  readonly id: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly description: string;
  readonly runbook: string;
  readonly labels: string;
  readonly correlation_id: string;
  readonly traceparent: string;
  readonly status: AlertStatus;
  readonly version: number;
  readonly note: string;
  readonly start_time: number;
  readonly end_time: number | null;
  readonly acknowledged_by: string | null;
  readonly acknowledge_time: number | null;
  readonly muted_by: string | null;
  readonly mute_until_time: number | null;
}

export function alertFrom(row: AlertRow): Alert {
  const { acknowledged_by, acknowledge_time, muted_by, mute_until_time } = row;
  return {
    id: row.id,
    fingerprint: row.fingerprint,
    name: row.name,
    severity: row.severity,
    summary: row.summary,
    description: row.description,
    runbook: row.runbook,
    labels: JSON.parse(row.labels) as Record<string, string>,
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
    status: row.status,
    version: row.version,
    note: row.note,
    startMs: row.start_time,
    endMs: row.end_time ?? undefined,
    acknowledged:
      acknowledged_by === null || acknowledge_time === null
        ? undefined
        : { principal: acknowledged_by, atMs: acknowledge_time },
    mute:
      muted_by === null || mute_until_time === null
        ? undefined
        : { principal: muted_by, untilMs: mute_until_time },
  };
}

/** The columns of an alert after some steps, and the version before the first of them: 0 for a new one. */
export function columnsOf(steps: readonly [Transition, ...Transition[]]) {
  const [first] = steps;
  const { alert } = steps.at(-1) ?? first;
  return {
    id: alert.id,
    version_before: first.alert.version - 1,
    fingerprint: alert.fingerprint,
    name: alert.name,
    severity: alert.severity,
    summary: alert.summary,
    description: alert.description,
    runbook: alert.runbook,
    labels: alert.labels,
    correlation_id: alert.correlationId,
    traceparent: alert.traceparent,
    status: alert.status,
    version: alert.version,
    note: alert.note,
    start_ms: alert.startMs,
    end_ms: alert.endMs ?? null,
    acknowledged_by: alert.acknowledged?.principal ?? null,
    acknowledge_ms: alert.acknowledged?.atMs ?? null,
    muted_by: alert.mute?.principal ?? null,
    mute_until_ms: alert.mute?.untilMs ?? null,
  };
}
