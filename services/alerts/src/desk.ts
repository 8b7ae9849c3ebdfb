import type { AdminInbox } from "@orrery/mesh/health/admin-inbox";
import { createKeyStore, keepKeyPartitions } from "@orrery/mesh/idempotency/key-store";
import type { Pool } from "@orrery/mesh/postgres/pool";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Clock } from "@orrery/mesh/time/clock";
import type { Route } from "@orrery/mesh/transport/route";
import { createAlertFacts } from "./adapters/events/alert-facts.ts";
import { askAlertmanager } from "./adapters/http/alertmanager-client.ts";
import { alertmanagerInbox, WEBHOOK_PATH } from "./adapters/http/alertmanager-inbox.ts";
import { createAlertStore } from "./adapters/postgres/alert-store.ts";
import { alertToBytes, alertToWire } from "./adapters/rpc/alert-wire.ts";
import { alertsRoute } from "./adapters/rpc/alerts-handler.ts";
import { actOnAlert } from "./application/act-on-alert.ts";
import { createActiveGauge, createWebhookCounter } from "./application/alert-metrics.ts";
import { compareWithAlertmanager } from "./application/compare-with-alertmanager.ts";
import { endMutes } from "./application/end-mutes.ts";
import { createHearNotices } from "./application/hear-notices.ts";
import { startUpkeep } from "./application/upkeep.ts";

/** What the alert desk stands on. */
export interface DeskDeps {
  readonly pool: Pool;
  readonly instance: string;
  readonly version: string;
  /** Where to ask what Alertmanager knows; undefined: it is only listened to. */
  readonly alertmanagerUrl: string | undefined;
  /** How long Alertmanager has to be up before its silence counts, in milliseconds. @default 300_000 */
  readonly settledMs?: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
  /** Called after each commit that wrote events. */
  readonly onCommit: () => void;
}

/** The keeping of alerts, whole: what serves its RPCs and its webhook, and what it does by itself. */
export interface Desk {
  readonly routes: readonly Route[];
  readonly inboxes: Readonly<Record<string, AdminInbox>>;
  /** Milliseconds since the sweeper last came round. */
  sweptAgoMs(): number;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** Puts the desk together and sets it going. */
export function createDesk(deps: DeskDeps): Desk {
  const { pool, instance, version, clock, logger, metrics, signal } = deps;
  const alerts = createAlertStore(pool);
  const common = {
    alerts,
    facts: createAlertFacts({ instance, serviceVersion: version, clock, toWire: alertToWire }),
    inTransaction: <T>(...args: Parameters<typeof pool.transaction<T>>): Promise<T> =>
      pool.transaction(...args),
    committed: deps.onCommit,
  };
  const notices = createHearNotices(common);
  const act = actOnAlert({ ...common, keys: createKeyStore(), encodeAlert: alertToBytes });
  const { alertmanagerUrl: url, settledMs } = deps;
  const alertmanager = url === undefined ? undefined : askAlertmanager({ url, clock });
  const upkeep = startUpkeep({
    endMutes: endMutes(common),
    compare: compareWithAlertmanager({
      ...common,
      alertmanager,
      hear: notices.hear,
      ...(settledMs && { settledMs }),
    }),
    refreshGauges: createActiveGauge(metrics, alerts),
    keepHouse: async () => {
      await keepKeyPartitions(pool);
      await alerts.forgetOld();
    },
    clock,
    logger,
    signal,
  });
  const inbox = alertmanagerInbox({
    hear: notices.hear,
    count: createWebhookCounter(metrics),
    clock,
    logger,
  });
  return {
    routes: [alertsRoute(act)],
    inboxes: { [WEBHOOK_PATH]: inbox },
    sweptAgoMs: upkeep.sweptAgoMs,
    close: async () => {
      await notices.close();
      await upkeep.ended;
    },
  };
}
