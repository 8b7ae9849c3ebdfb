import type { Queue } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import type { Clock } from "@orrery/mesh/time/clock";
import { NEWEST_FIRST } from "../domain/list-order.ts";
import type { Kind } from "../domain/projection.ts";
import { all, EVERYTHING, type Filter } from "../domain/query/filter.ts";
import { awaitWrite, type ReadAfterWrite } from "./awaited-version.ts";
import { searchAlerts } from "./list-alerts.ts";
import type { AskedFor, FailureGroup, JobsPeer, ListedDocument, ReadModel } from "./ports.ts";

/** A project at a glance. */
export interface Overview {
  readonly health: string;
  readonly jobs: ReadonlyMap<string, number>;
  readonly totalJobs: number;
  /** The longest wait first, at most 20. */
  readonly queues: readonly Queue[];
  readonly workers: number;
  readonly failures: readonly FailureGroup[];
  readonly recentJobs: readonly ListedDocument[];
  readonly missions: ReadonlyMap<string, number>;
  /** The newest first, at most 20. */
  readonly attentionMissions: readonly ListedDocument[];
  /** The platform's active ones, the most severe first, at most 20. */
  readonly alerts: readonly ListedDocument[];
  /** Whether the jobs service answered too. */
  readonly complete: boolean;
}

const RECENT_LIMIT = 20;
const QUEUE_LIMIT = 20;
const HOUR_MS = 3_600_000;
const COUNT_LIMIT = 10_000;
const SHORTEST_SPAN_MS = 1_000;
/** From here on the sentence says so. */
const FAILING_ALARM = 0.05;
const NEEDS_ATTENTION: Filter = { is: "one of", field: "status", values: ["needs_attention"] };

/**
 * One look at a project. Answers without the queues and workers when the jobs service does not.
 *
 * @throws Fault `PROJECTION_BEHIND`
 */
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
  async (request: ReadAfterWrite, askedFor: AskedFor): Promise<Overview> => {
    const { project, signal } = request;
    await awaitWrite({ readModel, clock }, request);
    const shown = { order: NEWEST_FIRST, after: undefined, limit: RECENT_LIMIT };
    const newest = (kind: Kind, filter: Filter) =>
      readModel.search({ ...shown, kind, project, filter, signal });
    const [summary, recentJobs, attentionMissions, alerts, failing, queues, workers] = await Promise.all([
      readModel.summary(project, signal),
      newest("job", EVERYTHING),
      newest("mission", NEEDS_ATTENTION),
      searchAlerts(readModel, request, { includeResolved: false, limit: RECENT_LIMIT }),
      failingRatio(readModel, request, clock.nowMs()),
      peer.listQueues(askedFor).catch(() => undefined),
      peer.listWorkers(askedFor).catch(() => undefined),
    ]);
    const totalJobs = [...summary.jobs.values()].reduce((sum, count) => sum + count, 0);
    return {
      health: healthSentence({
        running: summary.jobs.get("RUNNING") ?? 0,
        failing,
        queues,
        totalJobs,
        needAttention: summary.missions.get("NEEDS_ATTENTION") ?? 0,
        alerts: alerts.length,
      }),
      jobs: summary.jobs,
      totalJobs,
      queues: longestWaitFirst(queues ?? []).slice(0, QUEUE_LIMIT),
      workers: workers?.totalSize ?? 0,
      failures: summary.failures,
      recentJobs,
      missions: summary.missions,
      attentionMissions,
      alerts,
      complete: queues !== undefined && workers !== undefined,
    };
  };

/**
 * The part of the jobs that ended within the last hour and FAILED; 0 where none ended. Where 10,000 or more did, those
 * of the last half hour tell, of the last quarter, and so on: fewer can be counted out.
 */
export async function failingRatio(
  readModel: Pick<ReadModel, "count">,
  { project, signal }: Pick<ReadAfterWrite, "project" | "signal">,
  nowMs: number,
): Promise<number> {
  const count = (filter: Filter) => readModel.count({ kind: "job", project, filter, signal }, COUNT_LIMIT);
  for (let spanMs = HOUR_MS; ; spanMs /= 2) {
    const ended: Filter = { is: "within", field: "finished", from: nowMs - spanMs, below: undefined };
    const endedCount = await count(ended);
    if (endedCount === 0) return 0;
    if (endedCount >= COUNT_LIMIT && spanMs > SHORTEST_SPAN_MS) continue;
    return (await count(all([ended, { is: "one of", field: "status", values: ["failed"] }]))) / endedCount;
  }
}

function healthSentence(state: {
  readonly running: number;
  readonly failing: number;
  readonly queues: readonly Queue[] | undefined;
  readonly totalJobs: number;
  readonly needAttention: number;
  readonly alerts: number;
}): string {
  const { running, failing, queues, totalJobs, needAttention, alerts } = state;
  const troubles = [
    ...(needAttention === 0 ? [] : [`${counted(needAttention, "mission")} in need of attention`]),
    ...(alerts === 0 ? [] : [counted(alerts, "active alert", RECENT_LIMIT)]),
  ];
  const idle = totalJobs === 0 && queues !== undefined;
  if (idle && troubles.length === 0) return "Ready: no job has been submitted yet";
  const wait = longestWaitFirst(queues ?? [])[0]?.oldestWaitSeconds ?? 0;
  const waiting = queues === undefined ? "the jobs service does not answer" : `oldest wait ${wait} s`;
  const figures = [
    `${running.toLocaleString("en")} running`,
    `${(failing * 100).toFixed(1)}% failing`,
    waiting,
    ...troubles,
  ];
  return `${wordFor(state)}: ${figures.join(", ")}`;
}

/** The worst that is known, in one word. */
function wordFor(state: {
  readonly failing: number;
  readonly queues: readonly Queue[] | undefined;
  readonly needAttention: number;
  readonly alerts: number;
}): string {
  if (state.queues === undefined) return "Partly known";
  if (state.failing >= FAILING_ALARM) return "Failing";
  return state.needAttention + state.alerts > 0 ? "Needs attention" : "Healthy";
}

/** "1 mission", "2 missions"; from `limit` on "20 or more alerts". */
function counted(count: number, noun: string, limit = Number.POSITIVE_INFINITY): string {
  return `${count.toLocaleString("en")}${count >= limit ? " or more" : ""} ${noun}${count === 1 ? "" : "s"}`;
}

function longestWaitFirst(queues: readonly Queue[]): readonly Queue[] {
  return queues.toSorted(
    (left, right) => right.oldestWaitSeconds - left.oldestWaitSeconds || (left.name < right.name ? -1 : 1),
  );
}
