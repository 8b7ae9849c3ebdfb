import type { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import type { Clock } from "@orrery/mesh/time/clock";
import type { Implementation } from "@orrery/mesh/transport/route";
import { wantedBy } from "../../application/awaited-version.ts";
import type { FreshnessGauge } from "../../application/freshness.ts";
import { listAlerts } from "../../application/list-alerts.ts";
import { listEvents } from "../../application/list-events.ts";
import { readMetrics } from "../../application/metrics-snapshot.ts";
import { readOverview } from "../../application/overview.ts";
import type { JobsPeer, LiveEvents, ReadModel, TraceStore } from "../../application/ports.ts";
import { createQueuedReasons } from "../../application/queued-reasons.ts";
import { watchEvents } from "../../application/watch-events.ts";
import { askedFor, documentReads, scopeOf } from "./document-reads.ts";
import {
  alertToWire,
  eventToWire,
  frameToWire,
  freshnessToWire,
  jobToWire,
  overviewToWire,
} from "./observatory-wire.ts";
import { withReasons } from "./queued-wire.ts";

export interface HandlerParts {
  readonly readModel: ReadModel;
  readonly live: LiveEvents;
  readonly traces: TraceStore;
  readonly peer: JobsPeer;
  readonly freshness: FreshnessGauge;
  readonly clock: Clock;
}

/** Every RPC of the observatory: the request's words in, a use case, the contract's words out. */
export function observatoryHandler(parts: HandlerParts): Implementation<typeof ObservatoryService> {
  const { readModel, peer, freshness } = parts;
  const reasons = createQueuedReasons(parts);
  const use = {
    listAlerts: listAlerts(parts),
    listEvents: listEvents(parts),
    watchEvents: watchEvents(parts),
    readOverview: readOverview(parts),
    readMetrics: readMetrics(parts),
  };
  // Read before the search: an answer may hold more than it says, never less.
  const fresh = () => freshnessToWire(freshness.read());
  return {
    ...documentReads({ ...parts, reasons }),
    async getOverview(request, call) {
      const asked = { ...request, ...scopeOf(call) };
      const about = { readModel: readModel.name, freshness: freshness.read() };
      const overview = await use.readOverview(asked, askedFor(call));
      const recentJobs = await withReasons(reasons, overview.recentJobs.map(jobToWire), askedFor(call));
      return { ...overviewToWire(asked.project, overview, about), recentJobs };
    },
    // What the jobs service answers from its own store holds every write: a token is looked at and never waited for.
    async listQueues(request, call) {
      wantedBy(request.consistencyToken);
      return { queues: [...(await peer.listQueues(askedFor(call)))] };
    },
    async listWorkers(request, call) {
      wantedBy(request.consistencyToken);
      const { workers, totalSize } = await peer.listWorkers(askedFor(call));
      return { workers: [...workers], totalSize };
    },
    async listEvents(request, call) {
      const answered = fresh();
      const { events, next } = await use.listEvents({ ...request, ...scopeOf(call) });
      return { events: events.map(eventToWire), nextPageToken: next, ...answered };
    },
    async *watchEvents(request, call) {
      const frames = use.watchEvents({ ...request, ...scopeOf(call) });
      call.accept();
      for await (const frame of frames) yield frameToWire(frame);
    },
    async listAlerts(request, call) {
      const answered = fresh();
      const alerts = await use.listAlerts({ ...request, ...scopeOf(call) });
      return { alerts: alerts.map(alertToWire), ...answered };
    },
    async getMetrics(request, call) {
      const answered = fresh();
      const figures = await use.readMetrics({ ...request, ...scopeOf(call) });
      return { figures: [...figures], ...answered };
    },
  };
}
