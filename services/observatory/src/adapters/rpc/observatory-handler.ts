import type { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import type { Clock } from "@orrery/mesh/time/clock";
import { type Implementation, requireOnBehalf } from "@orrery/mesh/transport/route";
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
    async getOverview(_request, call) {
      const { project } = requireOnBehalf(call);
      const about = { readModel: readModel.name, freshness: freshness.read() };
      const overview = await use.readOverview(project, askedFor(call));
      const recentJobs = await withReasons(reasons, overview.recentJobs.map(jobToWire), askedFor(call));
      return { ...overviewToWire(project, overview, about), recentJobs };
    },
    async listQueues(_request, call) {
      return { queues: [...(await peer.listQueues(askedFor(call)))] };
    },
    async listWorkers(_request, call) {
      return { workers: [...(await peer.listWorkers(askedFor(call)))] };
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
      const { project } = requireOnBehalf(call);
      const answered = fresh();
      const alerts = await use.listAlerts({ ...request, project });
      return { alerts: alerts.map(alertToWire), ...answered };
    },
    async getMetrics(_request, call) {
      const answered = fresh();
      return { figures: [...(await use.readMetrics(requireOnBehalf(call).project))], ...answered };
    },
  };
}
