import { runService, type ServiceScope } from "@orrery/mesh/lifecycle/service";
import { connectNats } from "@orrery/mesh/messaging/connection";
import { createPublisher } from "@orrery/mesh/messaging/publisher";
import { subscribeWake } from "@orrery/mesh/messaging/wake";
import { startRelay } from "@orrery/mesh/outbox/relay";
import { republishInbox } from "@orrery/mesh/outbox/republish-inbox";
import { openPool, type Pool } from "@orrery/mesh/postgres/pool";
import { createBreaker } from "@orrery/mesh/resilience/breaker";
import { renderOutbox } from "./adapters/events/event-reader.ts";
import { tasksOf, wordOf } from "./adapters/events/ready-word.ts";
import { createEventStore } from "./adapters/postgres/event-store.ts";
import { type JobsConfig, jobsConfig } from "./config.ts";
import { createEngine } from "./engine.ts";

const VERSION = "0.1.0";
const READY_SUBJECT = "orrery.wake.jobs.ready";
const STATEMENT_TIMEOUT_MS = 5_000;
/** A service that has not swept for so long cannot reach its database any more. */
const SWEEP_LATE_MS = 30_000;

const config = jobsConfig();

await runService({
  config,
  start: async (service) => {
    const { scope, signal, logger, metrics, clock, chance, health } = service;
    const pools = openPools(service, config);
    const broker = openBroker(service, config);
    const common = { instance: config.instance, clock, chance, logger, metrics, signal };
    const relay = config.relay
      ? startRelay({
          ...common,
          pool: pools.relay,
          render: renderOutbox(createEventStore(pools.relay)),
          publisher: broker.publisher,
          service: config.service,
        })
      : undefined;
    if (relay !== undefined) scope.defer(() => relay.stop());

    const engine = createEngine({
      ...common,
      commandPool: pools.commands,
      leasePool: pools.leases,
      version: VERSION,
      onCommit: () => relay?.wake(),
      onReady: (tasks) => broker.publisher.wake(READY_SUBJECT, wordOf(tasks)),
    });
    scope.defer(() => engine.close());
    scope.defer(
      subscribeWake(broker.connection, READY_SUBJECT, (_subject, word) =>
        engine.readyElsewhere(tasksOf(word)),
      ),
    );
    signal.addEventListener("abort", engine.drain, { once: true });
    health.check("postgres", () => pools.commands.ping());
    health.check("sweeper", () => {
      if (engine.sweptAgoMs() > SWEEP_LATE_MS) throw new Error("the sweeper has not come round for 30 s");
    });
    const { publisher } = broker;
    const inboxes = republishInbox({ pool: pools.relay, publisher, service: config.service, logger });
    return { routes: engine.routes, inboxes };
  },
});

function openPools({ scope, identity, logger, metrics, clock, chance }: ServiceScope, settings: JobsConfig) {
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
    leases: open("leases", settings.leaseConnections),
    relay: open("relay", settings.relayConnections),
  };
}

// The broker may come later than the service, and go away: jobs run without it, their events wait in the outbox.
function openBroker(service: ServiceScope, settings: JobsConfig) {
  const { scope, identity, logger, metrics, signal, chance } = service;
  const connection = connectNats({
    url: settings.natsUrl,
    identity: settings.identityFile === undefined ? undefined : identity,
    name: settings.instance,
    inboxPrefix: `_INBOX.${settings.service}`,
    // A ring for other replicas: here it has been heard already.
    echo: false,
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
  return { connection, publisher: createPublisher(connection, metrics) };
}
