import { runService } from "@orrery/mesh/lifecycle/service";
import { connectBroker } from "@orrery/mesh/lifecycle/service-broker";
import { openPools } from "@orrery/mesh/lifecycle/service-pools";
import { subscribeWake } from "@orrery/mesh/messaging/wake";
import { startRelay } from "@orrery/mesh/outbox/relay";
import { republishInbox } from "@orrery/mesh/outbox/republish-inbox";
import { renderOutbox } from "./adapters/events/event-reader.ts";
import { tasksOf, wordOf } from "./adapters/events/ready-word.ts";
import { createEventStore } from "./adapters/postgres/event-store.ts";
import { jobsConfig } from "./config.ts";
import { createEngine } from "./engine.ts";

const VERSION = "0.1.0";
const READY_SUBJECT = "orrery.wake.jobs.ready";
/** A service that has not swept for so long cannot reach its database any more. */
const SWEEP_LATE_MS = 30_000;

const config = jobsConfig();

await runService({
  config,
  start: async (service) => {
    const { scope, signal, logger, metrics, clock, chance, health } = service;
    const pools = openPools(service, config, {
      commands: config.commandConnections,
      leases: config.leaseConnections,
      relay: config.relayConnections,
    });
    // A ring is for other replicas: here it has been heard already.
    const broker = connectBroker(service, config, { echo: false });
    const common = { instance: config.instance, clock, chance, logger, metrics };
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
      signal,
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
      if (engine.sweptAgoMs() <= SWEEP_LATE_MS) return;
      throw new Error(`the sweeper has not come round for ${SWEEP_LATE_MS / 1_000} s`);
    });
    const { publisher } = broker;
    const inboxes = republishInbox({ pool: pools.relay, publisher, service: config.service, logger });
    return { routes: engine.routes, inboxes };
  },
});
