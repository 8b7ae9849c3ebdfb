import { uuidV7 } from "@orrery/mesh/time/clock";
import { type Alert, type AlertTerms, fired, next } from "../src/domain/alert.ts";
import type { AlertStatus } from "../src/domain/alert-state.ts";
import type { Notice } from "../src/domain/notice-decisions.ts";

export const NOW = Date.UTC(2026, 10, 21, 9, 30);
const START = NOW - 60_000;

/** What a notice says, unless a test says otherwise. */
export const terms = (said: Partial<AlertTerms> = {}): AlertTerms => ({
  id: uuidV7(),
  fingerprint: "a1b2c3d4e5f60718",
  name: "ServiceDown",
  severity: "CRITICAL",
  summary: "jobs is down",
  description: "No replica of jobs has answered for a minute.",
  runbook: "service-down",
  labels: { service: "jobs" },
  startMs: START,
  correlationId: "correlation-1",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  ...said,
});

export const aNotice = (said: Partial<Notice> = {}): Notice => ({
  ...terms(said),
  overMs: undefined,
  ...said,
});

/** An alert in a status, as its life would have brought it there. */
export function anAlert(status: AlertStatus, said: Partial<AlertTerms> = {}): Alert {
  const { alert } = fired(terms(said), START);
  switch (status) {
    case "FIRING":
      return alert;
    case "ACKNOWLEDGED":
      return next(alert, "AlertAcknowledged", START, {
        acknowledged: { principal: "ann", atMs: START },
        note: "on it",
      }).alert;
    case "MUTED":
      return next(alert, "AlertMuted", START, { mute: { principal: "bob", untilMs: NOW + 60_000 } }).alert;
    default:
      return next(alert, "AlertResolved", START, { endMs: START }).alert;
  }
}

/** One alert of a webhook, as Alertmanager writes it. */
export const aWebhookAlert = (said: Readonly<Record<string, unknown>> = {}) => ({
  status: "firing",
  labels: { alertname: "ServiceDown", severity: "critical", service: "jobs", runbook: "service-down" },
  annotations: { summary: "jobs is down", description: "No replica of jobs has answered for a minute." },
  startsAt: "2026-11-21T09:29:00.123456789Z",
  endsAt: "0001-01-01T00:00:00Z",
  generatorURL: "http://127.0.0.1:9090/graph?g0.expr=up+%3D%3D+0",
  fingerprint: "a1b2c3d4e5f60718",
  ...said,
});

/** A webhook of version 4 with some alerts, as Alertmanager writes it. */
export const aWebhook = (alerts: readonly unknown[], said: Readonly<Record<string, unknown>> = {}) => ({
  receiver: "orrery",
  status: "firing",
  alerts,
  groupLabels: { alertname: "ServiceDown" },
  commonLabels: {},
  commonAnnotations: {},
  externalURL: "http://127.0.0.1:9093",
  version: "4",
  groupKey: '{}:{alertname="ServiceDown"}',
  truncatedAlerts: 0,
  ...said,
});
