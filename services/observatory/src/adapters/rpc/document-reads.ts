import type { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import type { Clock } from "@orrery/mesh/time/clock";
import { cutMessages } from "@orrery/mesh/transport/answer-size";
import { type Call, type Implementation, requireOnBehalf } from "@orrery/mesh/transport/route";
import type { FreshnessGauge } from "../../application/freshness.ts";
import { listDocuments } from "../../application/list-documents.ts";
import type { AskedFor, ReadModel, TraceStore } from "../../application/ports.ts";
import type { QueuedReasons } from "../../application/queued-reasons.ts";
import { readAttempts, readDocument, readHistory } from "../../application/read-document.ts";
import { readTrace } from "../../application/read-trace.ts";
import {
  attemptToWire,
  eventToWire,
  freshnessToWire,
  jobToWire,
  missionToWire,
  traceToWire,
  wholeJobToWire,
  wholeMissionToWire,
} from "./observatory-wire.ts";
import { withReasons } from "./queued-wire.ts";

type Rpcs = Pick<
  Implementation<typeof ObservatoryService>,
  | "listJobs"
  | "getJob"
  | "listJobAttempts"
  | "listJobEvents"
  | "getJobTrace"
  | "listMissions"
  | "getMission"
  | "listMissionEvents"
  | "getMissionTrace"
>;

/** The RPCs about jobs and about missions: lists, one by its id, its events and its trace. */
export function documentReads(parts: {
  readonly readModel: ReadModel;
  readonly traces: TraceStore;
  readonly freshness: FreshnessGauge;
  readonly reasons: QueuedReasons;
  readonly clock: Clock;
}): Rpcs {
  const use = {
    listJobs: listDocuments(parts, "job"),
    readJob: readDocument(parts, "job"),
    readAttempts: readAttempts(parts),
    readJobHistory: readHistory(parts, "job"),
    listMissions: listDocuments(parts, "mission"),
    readMission: readDocument(parts, "mission"),
    readMissionHistory: readHistory(parts, "mission"),
    readJobTrace: readTrace(parts, "job"),
    readMissionTrace: readTrace(parts, "mission"),
  };
  // Read before the search: an answer may hold more than it says, never less.
  const fresh = () => freshnessToWire(parts.freshness.read());
  return {
    async listJobs(request, call) {
      const answered = fresh();
      const { documents, ...page } = await use.listJobs({ ...request, ...scopeOf(call) });
      const jobs = await withReasons(parts.reasons, documents.map(jobToWire), askedFor(call));
      return { jobs, ...page, complete: true, ...answered };
    },
    async getJob(request, call) {
      const answered = fresh();
      const read = await use.readJob({ ...request, ...scopeOf(call) });
      const [job] = await withReasons(parts.reasons, [wholeJobToWire(read)], askedFor(call));
      return { job, complete: read.complete, ...answered };
    },
    async listJobAttempts(request, call) {
      const answered = fresh();
      const { attempts, complete } = await use.readAttempts({ ...request, ...scopeOf(call) });
      return { attempts: cutMessages(attempts.map(attemptToWire)), complete, ...answered };
    },
    async listJobEvents(request, call) {
      const answered = fresh();
      const { events, ...page } = await use.readJobHistory({ ...request, ...scopeOf(call) });
      return { events: events.map(eventToWire), ...page, ...answered };
    },
    async listMissions(request, call) {
      const answered = fresh();
      const { documents, ...page } = await use.listMissions({ ...request, ...scopeOf(call) });
      return { missions: documents.map(missionToWire), ...page, complete: true, ...answered };
    },
    async getMission(request, call) {
      const answered = fresh();
      const read = await use.readMission({ ...request, ...scopeOf(call) });
      return { mission: wholeMissionToWire(read), complete: read.complete, ...answered };
    },
    async listMissionEvents(request, call) {
      const answered = fresh();
      const { events, ...page } = await use.readMissionHistory({ ...request, ...scopeOf(call) });
      return { events: events.map(eventToWire), ...page, ...answered };
    },
    getJobTrace: async (request, call) =>
      traceToWire(await use.readJobTrace({ ...request, ...scopeOf(call) })),
    getMissionTrace: async (request, call) =>
      traceToWire(await use.readMissionTrace({ ...request, ...scopeOf(call) })),
  };
}

/** For whom a call is made, and until when. */
export function scopeOf(call: Call): { readonly project: string; readonly signal: AbortSignal } {
  return { project: requireOnBehalf(call).project, signal: call.signal };
}

/** What the jobs service gets of the time that a read has. */
const PEER_LIMIT_MS = 1_500;

/** For whom, in which trace and for how long the jobs service is asked in the course of a call. */
export function askedFor(call: Call): AskedFor {
  return {
    onBehalf: requireOnBehalf(call),
    correlationId: call.correlationId,
    traceparent: call.traceparent,
    signal: call.signal,
    timeoutMs: call.remainingMs(PEER_LIMIT_MS),
  };
}
