import { runService } from "@orrery/mesh/lifecycle/service";
import { connectBroker } from "@orrery/mesh/lifecycle/service-broker";
import { openPools } from "@orrery/mesh/lifecycle/service-pools";
import { startRelay } from "@orrery/mesh/outbox/relay";
import { republishInbox } from "@orrery/mesh/outbox/republish-inbox";
import { alertsConfig } from "./config.ts";
import { createDesk } from "./desk.ts";

const VERSION = "0.1.0";
/** A service that has not swept for so long cannot reach its database any more. */
const SWEEP_LATE_MS = 30_000;

const config = alertsConfig();

await runService({
  config,
  start: async (service) => {
    const { scope, signal, logger, metrics, clock, chance, health } = service;
    const pools = openPools(service, config, {
      commands: config.commandConnections,
      relay: config.relayConnections,
    });
    const { publisher } = connectBroker(service, config);
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
      if (desk.sweptAgoMs() <= SWEEP_LATE_MS) return;
      throw new Error(`the sweeper has not come round for ${SWEEP_LATE_MS / 1_000} s`);
    });
    const again = republishInbox({ pool: pools.relay, publisher, service: config.service, logger });
    return { routes: desk.routes, inboxes: { ...desk.inboxes, ...again } };
  },
});
