import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { runService } from "@orrery/mesh/lifecycle/service";
import { connectBroker } from "@orrery/mesh/lifecycle/service-broker";
import { openPools } from "@orrery/mesh/lifecycle/service-pools";
import { startRelay } from "@orrery/mesh/outbox/relay";
import { republishInbox } from "@orrery/mesh/outbox/republish-inbox";
import { consumeJobEnds } from "./adapters/events/job-ends.ts";
import { jobsPeer } from "./adapters/rpc/jobs-peer.ts";
import { orchestratorConfig } from "./config.ts";
import { createEngine } from "./engine.ts";

const VERSION = "0.1.0";

const config = orchestratorConfig();

await runService({
  config,
  start: async (service) => {
    const { scope, signal, logger, metrics, clock, chance, health } = service;
    const pools = openPools(service, config, {
      commands: config.commandConnections,
      relay: config.relayConnections,
    });
    // Without the broker jobs are asked about.
    const { connection, publisher } = connectBroker(service, config);
    const { service: name, instance } = config;
    const parts = { clock, chance, logger, metrics };
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
