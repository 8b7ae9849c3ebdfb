import type { Queue } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import type { Clock } from "@orrery/mesh/time/clock";
import { all, EVERYTHING, type Filter } from "../domain/query/filter.ts";
import type { AskedFor, FailureGroup, JobsPeer, ListedJob, ReadModel } from "./ports.ts";

/** A project at a glance. */
export interface Overview {
  readonly health: string;
  readonly jobs: ReadonlyMap<string, number>;
  readonly totalJobs: number;
  /** The longest wait first, at most 20. */
  readonly queues: readonly Queue[];
  readonly workers: number;
  readonly failures: readonly FailureGroup[];
  readonly recentJobs: readonly ListedJob[];
  /** Whether the jobs service answered too. */
  readonly complete: boolean;
}

const RECENT_LIMIT = 20;
const QUEUE_LIMIT = 20;
const HOUR_MS = 3_600_000;
const COUNT_LIMIT = 10_000;
/** From here on the sentence says so. */
const FAILING_ALARM = 0.05;

/** One look at a project. Answers without the queues and workers when the jobs service does not. */
export const readOverview =
  ({
    readModel,
    peer,
    clock,
  }: {
    readonly readModel: ReadModel;
    readonly peer: JobsPeer;
    readonly clock: Clock;
  }) =>
  async (project: string, askedFor: AskedFor): Promise<Overview> => {
    const order = { field: "created", direction: "desc" } as const;
    const [summary, recentJobs, failing, queues, workers] = await Promise.all([
      readModel.summary(project),
      readModel.searchJobs({ project, filter: EVERYTHING, order, after: undefined, limit: RECENT_LIMIT }),
      failingRatio(readModel, project, clock.nowMs()),
      peer.listQueues(askedFor).catch(() => undefined),
      peer.listWorkers(askedFor).catch(() => undefined),
    ]);
    const totalJobs = [...summary.jobs.values()].reduce((sum, count) => sum + count, 0);
    return {
      health: healthSentence({ running: summary.jobs.get("RUNNING") ?? 0, failing, queues, totalJobs }),
      jobs: summary.jobs,
      totalJobs,
      queues: longestWaitFirst(queues ?? []).slice(0, QUEUE_LIMIT),
      workers: workers?.length ?? 0,
      failures: summary.failures,
      recentJobs,
      complete: queues !== undefined && workers !== undefined,
    };
  };

/** The part of the jobs that ended within the last hour and FAILED; 0 where none ended. */
export async function failingRatio(readModel: ReadModel, project: string, nowMs: number): Promise<number> {
  const ended: Filter = { is: "within", field: "finished", from: nowMs - HOUR_MS, below: undefined };
  const failed = all([ended, { is: "one of", field: "status", values: ["failed"] }]);
  const [endedCount, failedCount] = await Promise.all([
    readModel.countJobs({ project, filter: ended }, COUNT_LIMIT),
    readModel.countJobs({ project, filter: failed }, COUNT_LIMIT),
  ]);
  return endedCount === 0 ? 0 : failedCount / endedCount;
}

function healthSentence(state: {
  readonly running: number;
  readonly failing: number;
  readonly queues: readonly Queue[] | undefined;
  readonly totalJobs: number;
}): string {
  const { running, failing, queues, totalJobs } = state;
  if (totalJobs === 0 && queues !== undefined) return "Ready: no job has been submitted yet";
  const word = queues === undefined ? "Partly known" : failing >= FAILING_ALARM ? "Failing" : "Healthy";
  const wait = longestWaitFirst(queues ?? [])[0]?.oldestWaitSeconds ?? 0;
  const waiting = queues === undefined ? "the jobs service does not answer" : `oldest wait ${wait} s`;
  const figures = [
    `${running.toLocaleString("en")} running`,
    `${(failing * 100).toFixed(1)}% failing`,
    waiting,
  ];
  return `${word}: ${figures.join(", ")}`;
}

function longestWaitFirst(queues: readonly Queue[]): readonly Queue[] {
  return queues.toSorted(
    (left, right) => right.oldestWaitSeconds - left.oldestWaitSeconds || (left.name < right.name ? -1 : 1),
  );
}
