import type { Clock } from "@orrery/mesh/time/clock";
import { all, type Filter } from "../domain/query/filter.ts";
import type { NumberField } from "../domain/search-keys.ts";
import { awaitWrite, type ReadAfterWrite } from "./awaited-version.ts";
import type { FreshnessGauge } from "./freshness.ts";
import { failingRatio } from "./overview.ts";
import type { ReadModel } from "./ports.ts";

/** One number about a project, with its unit. */
export interface Figure {
  readonly name: string;
  readonly description: string;
  readonly unit: "jobs" | "missions" | "seconds" | "milliseconds" | "ratio";
  readonly value: number;
}

const MINUTE_MS = 60_000;
const COUNT_LIMIT = 1_000_000;
const WAITING = ["SCHEDULED", "QUEUED", "RETRYING"];
const OPEN_MISSIONS = ["PENDING", "RUNNING", "COMPENSATING", "NEEDS_ATTENTION"];

/**
 * A project's figures: always the same ones, in the same order.
 *
 * @throws Fault `PROJECTION_BEHIND`
 */
export const readMetrics =
  (parts: { readonly readModel: ReadModel; readonly freshness: FreshnessGauge; readonly clock: Clock }) =>
  async (request: ReadAfterWrite): Promise<readonly Figure[]> => {
    const { readModel, freshness, clock } = parts;
    const { project, signal } = request;
    await awaitWrite(parts, request);
    const nowMs = clock.nowMs();
    const count = (filter: Filter) => readModel.count({ kind: "job", project, filter, signal }, COUNT_LIMIT);
    const lastMinute = (field: NumberField): Filter => {
      return { is: "within", field, from: nowMs - MINUTE_MS, below: undefined };
    };
    const failed: Filter = { is: "one of", field: "status", values: ["failed"] };
    const [summary, submitted, started, finished, failures, failing] = await Promise.all([
      readModel.summary(project, signal),
      count(lastMinute("created")),
      count(lastMinute("started")),
      count(lastMinute("finished")),
      count(all([lastMinute("finished"), failed])),
      failingRatio(readModel, request, nowMs),
    ]);
    const countOf = (by: ReadonlyMap<string, number>, statuses: readonly string[]) =>
      statuses.reduce((sum, status) => sum + (by.get(status) ?? 0), 0);
    const jobs = (name: string, description: string, value: number): Figure => {
      return { name, description, unit: "jobs", value };
    };
    return [
      jobs("jobs_submitted_last_minute", "Jobs submitted within the last minute", submitted),
      jobs("jobs_started_last_minute", "Jobs whose latest attempt began within the last minute", started),
      jobs("jobs_finished_last_minute", "Jobs that ended within the last minute", finished),
      jobs("jobs_failed_last_minute", "Jobs that ended FAILED within the last minute", failures),
      {
        name: "failing_ratio_last_hour",
        description: "The part of the jobs that ended within the last hour and FAILED",
        unit: "ratio",
        value: failing,
      },
      jobs("jobs_running", "Jobs that are RUNNING", summary.jobs.get("RUNNING") ?? 0),
      jobs("jobs_waiting", "Jobs that are SCHEDULED, QUEUED or RETRYING", countOf(summary.jobs, WAITING)),
      {
        name: "missions_open",
        description: "Missions that have not ended",
        unit: "missions",
        value: countOf(summary.missions, OPEN_MISSIONS),
      },
      {
        name: "missions_needing_attention",
        description: "Missions that cannot go on by themselves",
        unit: "missions",
        value: countOf(summary.missions, ["NEEDS_ATTENTION"]),
      },
      {
        name: "projection_lag",
        description: "How far the read model is behind",
        unit: "milliseconds",
        value: freshness.read().lagMs,
      },
    ];
  };
