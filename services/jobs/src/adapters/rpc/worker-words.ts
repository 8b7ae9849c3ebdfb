import type {
  AttemptOutcome,
  CompleteAttemptsRequest,
  FailAttemptsRequest,
  HeartbeatAttemptsRequest,
  ReleaseAttemptsRequest,
} from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import type { HeartbeatAttempts } from "../../application/heartbeat-attempts.ts";
import type { Service, WorkCaller } from "../../application/ports.ts";
import type { Report, ReportAttempts } from "../../application/report-attempts.ts";
import type { Sightings } from "../../application/sightings.ts";
import { RESERVED } from "../../domain/job.ts";
import {
  beatToWire,
  completionFromWire,
  failureFromWire,
  idOf,
  releaseFromWire,
  reportToWire,
} from "./work-wire.ts";

/** What a worker says about its attempts, over either protocol. */
export interface WorkerWords {
  complete(request: CompleteAttemptsRequest, by: WorkCaller): Promise<AttemptOutcome[]>;
  fail(request: FailAttemptsRequest, by: WorkCaller): Promise<AttemptOutcome[]>;
  release(request: ReleaseAttemptsRequest, by: WorkCaller): Promise<AttemptOutcome[]>;
  heartbeat(request: HeartbeatAttemptsRequest, by: WorkCaller): Promise<AttemptOutcome[]>;
}

interface AttemptRef {
  readonly jobId: string;
  readonly leaseEpoch: number;
}

/** What the words are carried out by. */
interface WordsUse {
  readonly reports: ReportAttempts;
  readonly heartbeats: HeartbeatAttempts;
  readonly sightings: Sightings;
}

/**
 * Names what a caller wants to serve.
 *
 * @throws Fault `TASK_RESERVED` when anyone but the platform asks for the platform's own tasks
 */
export function serviceOf(by: WorkCaller, { tasks, queues }: { tasks: string[]; queues: string[] }): Service {
  const reserved = tasks.find((task) => task.startsWith(RESERVED));
  if (reserved !== undefined && by.project !== undefined) {
    const detail = `tasks named ${RESERVED}* are leased to the platform's own workers only, and ${reserved} is one`;
    throw new Fault("TASK_RESERVED", { detail });
  }
  return { project: by.project, tasks: namesIn(tasks), queues: namesIn(queues) };
}

/** As long as a task's or a queue's name can be. The contract does not refuse a longer one, and nothing has it. */
const NAME_LIMIT = 128;

/** Of a name that is too long as much as tells that, since it is kept with the worker. */
const nameKept = (asked: string): string => asked.slice(0, NAME_LIMIT + 1).toWellFormed();

const namesIn = (asked: readonly string[]): string[] => [...new Set(asked.map(nameKept))].sort();

/** Reads each word, has it carried out, and renders its outcome, in order. */
export function workerWords({ reports, heartbeats, sightings }: WordsUse): WorkerWords {
  // All are read before the first is carried out: one that cannot be taken refuses the call as a whole.
  const reportAll = async (
    refs: readonly AttemptRef[],
    said: readonly Report[],
  ): Promise<AttemptOutcome[]> => {
    const outcomes = await reports.reportAll(said);
    return refs.map((ref, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined) throw new RangeError("a report got no outcome");
      return reportToWire(ref, outcome);
    });
  };
  return {
    complete: ({ results }, by) =>
      reportAll(
        results,
        results.map((result, index) => completionFromWire(result, by, `results[${index}]`)),
      ),
    fail: ({ results }, by) =>
      reportAll(
        results,
        results.map((result) => failureFromWire(result, by)),
      ),
    release: ({ leases }, by) =>
      reportAll(
        leases,
        leases.map((lease) => releaseFromWire(lease, by)),
      ),
    heartbeat: async ({ worker, leases, draining }, by) => {
      sightings.note({ project: by.project, name: worker, draining });
      return Promise.all(
        leases.map(async (ref) => {
          const claim = { ...by, jobId: idOf(ref.jobId), epoch: ref.leaseEpoch };
          return beatToWire(ref, await heartbeats.beat(claim));
        }),
      );
    },
  };
}
