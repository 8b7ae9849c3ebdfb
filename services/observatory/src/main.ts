import { QueuesService } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import { runService, type ServiceScope } from "@orrery/mesh/lifecycle/service";
import { connectBroker } from "@orrery/mesh/lifecycle/service-broker";
import { serve } from "@orrery/mesh/transport/route";
import { openEmbeddedReadModel } from "./adapters/embedded/embedded-read-model.ts";
import { streamProgress } from "./adapters/events/event-streams.ts";
import { liveEvents } from "./adapters/events/live-events.ts";
import { startProjector } from "./adapters/events/projector.ts";
import { jobsPeer } from "./adapters/rpc/jobs-peer.ts";
import { observatoryHandler } from "./adapters/rpc/observatory-handler.ts";
import { TRACE_PATH, traceInbox } from "./adapters/traces/trace-inbox.ts";
import { NO_TRACES, openTraceStore } from "./adapters/traces/trace-store.ts";
import { createFreshness } from "./application/freshness.ts";
import type { ReadModel, TraceStore } from "./application/ports.ts";
import { measuredReadModel, showSize } from "./application/read-model-metrics.ts";
import { type ObservatoryConfig, readObservatoryConfig } from "./config.ts";

const config = readObservatoryConfig();

await runService({
  config: config.service,
  async start(service) {
    const { clock, health, logger, metrics, scope, signal } = service;
    const opened = scope.adopt(await openReadModel(config, service), (readModel) => readModel.close());
    const readModel = measuredReadModel(opened, metrics, clock);
    void showSize(readModel, metrics, signal);
    const { connection: connecting, publisher } = connectBroker(service, config);
    const projector = startProjector({ connecting, publisher, readModel, logger, metrics, signal });
    scope.defer(() => projector.stopped);

    const lag = metrics.gauge("orrery_projection_lag_seconds", "How far the read model is behind the stream");
    const freshness = createFreshness({
      readModel,
      progress: streamProgress(connecting, () => projector.generation(), metrics),
      clock,
      onMeasured: ({ lagMs, behind }) => lag.set(behind === 0 ? 0 : lagMs / 1_000),
      onFailed: (error) => {
        lag.set(freshness.read().lagMs / 1_000);
        logger.debug("freshness cannot be measured", { error });
      },
    });
    void freshness.run(signal);

    // Lists are answered without the broker too: how old they are is in each of them, `orrery_nats_connected` says why.
    health.check("read model", async () => {
      await readModel.check();
    });

    const jobs = { workload: "jobs", addresses: config.jobs };
    const peer = jobsPeer({
      queues: service.connect(QueuesService, jobs),
      work: service.connect(WorkService, jobs),
    });
    const live = liveEvents(connecting, { clock, logger });
    const traces = openTraces(config, service);
    const parts = { readModel, live, peer, freshness, traces, clock };
    return {
      routes: [serve(ObservatoryService, observatoryHandler(parts))],
      ...(config.traceFolder === undefined ? {} : { inboxes: { [TRACE_PATH]: traceInbox(traces, metrics) } }),
    };
  },
});

/**
 * The client of Elasticsearch alone takes as much memory as the rest of the service: it is loaded where it is
 * used.
 */
async function openReadModel({ readModel }: ObservatoryConfig, service: ServiceScope): Promise<ReadModel> {
  if (readModel.kind === "embedded") return openEmbeddedReadModel({ folder: readModel.folder });
  const { openElasticReadModel } = await import("./adapters/elasticsearch/elastic-read-model.ts");
  return openElasticReadModel({ ...readModel, metrics: service.metrics });
}

function openTraces({ traceFolder }: ObservatoryConfig, { clock, scope }: ServiceScope): TraceStore {
  if (traceFolder === undefined) return NO_TRACES;
  return scope.adopt(openTraceStore({ folder: traceFolder, clock }), (store) => store.close());
}
