import { runService, type ServiceScope } from "@orrery/mesh/lifecycle/service";
import { connectNats } from "@orrery/mesh/messaging/connection";
import { createPublisher } from "@orrery/mesh/messaging/publisher";
import { startRelay } from "@orrery/mesh/outbox/relay";
import { republishInbox } from "@orrery/mesh/outbox/republish-inbox";
import { openPool, type Pool } from "@orrery/mesh/postgres/pool";
import { createBreaker } from "@orrery/mesh/resilience/breaker";
import { type AlertsConfig, alertsConfig } from "./config.ts";
import { createDesk } from "./desk.ts";

const VERSION = "0.1.0";
const STATEMENT_TIMEOUT_MS = 5_000;
/** A service that has not swept for so long cannot reach its database any more. */
const SWEEP_LATE_MS = 30_000;

const config = alertsConfig();

await runService({
  config,
  start: async (service) => {
    const { scope, signal, logger, metrics, clock, chance, health } = service;
    const pools = openPools(service, config);
    const publisher = connectBroker(service, config);
    const relay = config.relay
      ? startRelay({
          pool: pools.relay,
          publisher,
          service: config.service,
          instance: config.instance,
          clock,
          chance,
          logger,
          metrics,
          signal,
        })
      : undefined;
    if (relay !== undefined) scope.defer(() => relay.stop());

    const desk = createDesk({
      pool: pools.commands,
      instance: config.instance,
      version: VERSION,
      alertmanagerUrl: config.alertmanagerUrl,
      clock,
      logger,
      metrics,
      signal,
      onCommit: () => relay?.wake(),
    });
    scope.defer(() => desk.close());
    health.check("postgres", () => pools.commands.ping());
    health.check("sweeper", () => {
      if (desk.sweptAgoMs() > SWEEP_LATE_MS) throw new Error("the sweeper has not come round for 30 s");
    });
    const again = republishInbox({ pool: pools.relay, publisher, service: config.service, logger });
    return { routes: desk.routes, inboxes: { ...desk.inboxes, ...again } };
  },
});

function openPools(
  { scope, identity, logger, metrics, clock, chance }: ServiceScope,
  settings: AlertsConfig,
) {
  const breaker = createBreaker({ dependency: "postgres", metrics, clock, chance });
  scope.defer(() => breaker.close());
  const { name: database, ...login } = settings.database;
  const open = (purpose: string, size: number): Pool =>
    scope.adopt(
      openPool({
        ...login,
        database,
        size,
        applicationName: `${settings.instance} ${purpose}`,
        identity: settings.identityFile === undefined ? undefined : identity,
        statementTimeoutMs: STATEMENT_TIMEOUT_MS,
        breaker,
        logger,
        metrics,
        clock,
        chance,
      }),
      (pool) => pool.end(),
    );
  return {
    commands: open("commands", settings.commandConnections),
    relay: open("relay", settings.relayConnections),
  };
}

/** The broker may come later than the service, and go away: events wait in the outbox. */
function connectBroker(service: ServiceScope, settings: AlertsConfig) {
  const { scope, identity, logger, metrics, signal, chance } = service;
  const connection = connectNats({
    url: settings.natsUrl,
    identity: settings.identityFile === undefined ? undefined : identity,
    name: settings.instance,
    inboxPrefix: `_INBOX.${settings.service}`,
    logger,
    metrics,
    signal,
    chance,
  });
  scope.defer(async () => {
    // The signal ends a wait for a broker that never came, with a rejection that says just that.
    const nats = await connection.catch(() => undefined);
    await nats?.close();
  });
  return createPublisher(connection, metrics);
}
