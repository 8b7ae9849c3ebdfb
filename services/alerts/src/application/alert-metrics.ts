import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import { SEVERITIES } from "../domain/alert-state.ts";
import type { Alerts } from "./ports.ts";

/** What became of a webhook: all of it is durable, it could not be read, or it has to be sent again. */
export type WebhookResult = "stored" | "malformed" | "failed";

const RESULTS: readonly WebhookResult[] = ["stored", "malformed", "failed"];

/** Counts webhooks. Every result is there from the start, so that a first failure is an increase. */
export function createWebhookCounter(metrics: Metrics): (result: WebhookResult) => void {
  const webhooks = metrics.counter(
    "orrery_alert_webhooks_total",
    "Webhooks of Alertmanager, by what became of them.",
    ["result"],
  );
  for (const result of RESULTS) webhooks.inc({ result }, 0);
  return (result) => webhooks.inc({ result });
}

/** Counts the alerts that are not resolved, in the database, so that every replica shows the same. */
export function createActiveGauge(
  metrics: Metrics,
  alerts: Pick<Alerts, "countActive">,
): () => Promise<void> {
  const active = metrics.gauge("orrery_alerts_active", "Alerts that are not resolved, by severity.", [
    "severity",
  ]);
  return async () => {
    const counts = await alerts.countActive();
    for (const severity of SEVERITIES) active.set({ severity }, counts.get(severity) ?? 0);
  };
}
