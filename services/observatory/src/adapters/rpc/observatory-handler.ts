import type { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import type { Clock } from "@orrery/mesh/time/clock";
import { type Call, type Implementation, requireOnBehalf } from "@orrery/mesh/transport/route";
import type { FreshnessGauge } from "../../application/freshness.ts";
import { listEvents } from "../../application/list-events.ts";
import { listJobs } from "../../application/list-jobs.ts";
import { readMetrics } from "../../application/metrics-snapshot.ts";
import { readOverview } from "../../application/overview.ts";
import type { AskedFor, JobsPeer, LiveEvents, ReadModel } from "../../application/ports.ts";
import { readAttempts, readHistory, readJob } from "../../application/read-job.ts";
import { watchEvents } from "../../application/watch-events.ts";
import {
  attemptToWire,
  eventToWire,
  frameToWire,
  freshnessToWire,
  jobToWire,
  overviewToWire,
  wholeJobToWire,
} from "./observatory-wire.ts";

export interface HandlerParts {
  readonly readModel: ReadModel;
  readonly live: LiveEvents;
  readonly peer: JobsPeer;
  readonly freshness: FreshnessGauge;
  readonly clock: Clock;
}

/** What the jobs service gets of the time that a read has. */
const PEER_LIMIT_MS = 1_500;

/** Every RPC of the observatory: the request's words in, a use case, the contract's words out. */
export function observatoryHandler(parts: HandlerParts): Implementation<typeof ObservatoryService> {
  const { readModel, peer, freshness } = parts;
  const use = {
    listJobs: listJobs(parts),
    readJob: readJob(parts),
    readAttempts: readAttempts(parts),
    readHistory: readHistory(parts),
    listEvents: listEvents(parts),
    watchEvents: watchEvents(parts),
    readOverview: readOverview(parts),
    readMetrics: readMetrics(parts),
  };
  // Read before the search: an answer may hold more than it says, never less.
  const fresh = () => freshnessToWire(freshness.read());
  return {
    async getOverview(_request, call) {
      const { project } = requireOnBehalf(call);
      const about = { readModel: readModel.name, freshness: freshness.read() };
      return overviewToWire(project, await use.readOverview(project, askedFor(call)), about);
    },
    async listJobs(request, call) {
      const answered = fresh();
      const list = await use.listJobs({ ...request, ...scopeOf(call) });
      const { nextPageToken, totalSize, totalExact } = list;
      return {
        jobs: list.jobs.map(jobToWire),
        nextPageToken,
        totalSize,
        totalExact,
        complete: true,
        ...answered,
      };
    },
    async getJob(request, call) {
      const answered = fresh();
      return { job: wholeJobToWire(await use.readJob({ ...request, ...scopeOf(call) })), ...answered };
    },
    async listJobAttempts(request, call) {
      const answered = fresh();
      const attempts = await use.readAttempts(scopeOf(call).project, request.id);
      return { attempts: attempts.map(attemptToWire), ...answered };
    },
    async listJobEvents(request, call) {
      const answered = fresh();
      const { events, nextPageToken } = await use.readHistory({ ...request, ...scopeOf(call) });
      return { events: events.map(eventToWire), nextPageToken, ...answered };
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
    listAlerts: () => Promise.resolve({ alerts: [], ...fresh() }),
    async getMetrics(_request, call) {
      const answered = fresh();
      return { figures: [...(await use.readMetrics(requireOnBehalf(call).project))], ...answered };
    },
  };
}

function scopeOf(call: Call): { readonly project: string; readonly signal: AbortSignal } {
  return { project: requireOnBehalf(call).project, signal: call.signal };
}

function askedFor(call: Call): AskedFor {
  return {
    onBehalf: requireOnBehalf(call),
    correlationId: call.correlationId,
    traceparent: call.traceparent,
    signal: call.signal,
    timeoutMs: call.remainingMs(PEER_LIMIT_MS),
  };
}
