import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { runService, type ServiceScope } from "@orrery/mesh/lifecycle/service";
import { connectNats } from "@orrery/mesh/messaging/connection";
import { createPublisher } from "@orrery/mesh/messaging/publisher";
import { startRelay } from "@orrery/mesh/outbox/relay";
import { republishInbox } from "@orrery/mesh/outbox/republish-inbox";
import { openPool, type Pool } from "@orrery/mesh/postgres/pool";
import { createBreaker } from "@orrery/mesh/resilience/breaker";
import { consumeJobEnds } from "./adapters/events/job-ends.ts";
import { jobsPeer } from "./adapters/rpc/jobs-peer.ts";
import { type OrchestratorConfig, orchestratorConfig } from "./config.ts";
import { createEngine } from "./engine.ts";

const VERSION = "0.1.0";
const STATEMENT_TIMEOUT_MS = 5_000;

const config = orchestratorConfig();

await runService({
  config,
  start: async (service) => {
    const { scope, signal, logger, metrics, clock, chance, health } = service;
    const pools = openPools(service, config);
    const { connection, publisher } = connectBroker(service, config);
    const { service: name, instance } = config;
    const parts = { clock, chance, logger, metrics, signal };
    const relay = config.relay
      ? startRelay({ pool: pools.relay, publisher, service: name, instance, ...parts })
      : undefined;
    if (relay !== undefined) scope.defer(() => relay.stop());

    const jobs = service.connect(JobsService, { workload: "jobs", addresses: config.jobs });
    const engine = createEngine({
      pool: pools.commands,
      peer: jobsPeer(jobs, logger),
      instance,
      version: VERSION,
      clock,
      logger,
      metrics,
      signal,
      onCommit: () => relay?.wake(),
    });
    scope.defer(async () => {
      await engine.ended;
    });
    const { takeIn, ask } = engine;
    const consumer = consumeJobEnds({
      connecting: connection,
      publisher,
      takeIn,
      ask,
      logger,
      metrics,
      signal,
    });
    scope.defer(() => consumer.stop());
    health.check("postgres", () => pools.commands.ping());
    const inboxes = republishInbox({ pool: pools.relay, publisher, service: name, logger });
    return { routes: engine.routes, inboxes };
  },
});

function openPools(
  { scope, identity, logger, metrics, clock, chance }: ServiceScope,
  settings: OrchestratorConfig,
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

/** The broker may come late, and go away: jobs are then asked about, and events wait in the outbox. */
function connectBroker(service: ServiceScope, settings: OrchestratorConfig) {
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
  return { connection, publisher: createPublisher(connection, metrics) };
}
