import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { type Call, callerOf, type Route, serve } from "@orrery/mesh/transport/route";
import { type FindWorkDeps, findWork } from "../../application/find-work.ts";
import type { HeartbeatAttempts } from "../../application/heartbeat-attempts.ts";
import type { Demand } from "../../application/lease-jobs.ts";
import type { WorkerList, WorkerView } from "../../application/ports.ts";
import type { Sightings } from "../../application/sightings.ts";
import type { WorkSessions } from "../../application/work-sessions.ts";
import { HEARTBEAT_SECONDS } from "../../domain/lease.ts";
import { workCallerOf } from "./call-context.ts";
import { workStream } from "./work-stream.ts";
import { leaseToWire } from "./work-wire.ts";
import { serviceOf, workerWords } from "./worker-words.ts";

/** The use cases that WorkService renders. */
interface WorkUse extends FindWorkDeps {
  readonly heartbeats: HeartbeatAttempts;
  readonly sightings: Sightings;
  readonly sessions: WorkSessions;
  readonly listWorkers: (project: string) => Promise<WorkerList>;
}

/** WorkService: reads each request, asks the use cases, and renders what they answer. */
export function workRoute(use: WorkUse): Route {
  const words = workerWords(use);
  return serve(WorkService, {
    work: (requests, call) => workStream({ ...use, words }, requests, workCallerOf(call), call),
    leaseJobs: async (request, call) => {
      const by = workCallerOf(call);
      const service = serviceOf(by, request);
      const { worker, requestId } = request;
      use.sightings.note({ ...service, name: worker, slots: 0, draining: false });
      const max = request.max ?? 1;
      const demand: Demand = {
        service,
        worker,
        principal: by.principal,
        requestId,
        max,
        signal: call.signal,
      };
      const leases = await findWork(use, demand, waitOf(request.waitSeconds, call));
      return { leases: leases.map(leaseToWire), heartbeatSeconds: HEARTBEAT_SECONDS };
    },
    completeAttempts: async (request, call) => ({
      outcomes: await words.complete(request, workCallerOf(call)),
    }),
    failAttempts: async (request, call) => ({ outcomes: await words.fail(request, workCallerOf(call)) }),
    releaseAttempts: async (request, call) => ({
      outcomes: await words.release(request, workCallerOf(call)),
    }),
    heartbeatAttempts: async (request, call) => ({
      outcomes: await words.heartbeat(request, workCallerOf(call)),
    }),
    listWorkers: async (_request, call) => {
      const { workers, total } = await use.listWorkers(callerOf(call).project);
      return { workers: workers.map(workerToWire), totalSize: total };
    },
  });
}

/** What is left of a deadline for the answer to travel back. */
const ANSWER_MARGIN_MS = 250;

/** Never waits past the caller's own deadline: a lease that nobody hears of costs its job 15 s. */
function waitOf(waitSeconds: number, call: Call): number {
  return Math.max(
    0,
    Math.min(waitSeconds * 1000, call.remainingMs(waitSeconds * 1000 + ANSWER_MARGIN_MS) - ANSWER_MARGIN_MS),
  );
}

const workerToWire = (worker: WorkerView) => ({
  worker: worker.name,
  tasks: [...worker.tasks],
  queues: [...worker.queues],
  slots: worker.slots,
  leases: worker.leases,
  lastSeenTime: timestampFromMs(worker.seenMs),
  draining: worker.draining,
});
