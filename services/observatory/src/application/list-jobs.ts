import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { ORDER_NAMES, readOrder } from "../domain/job-order.ts";
import { awaitVersion, wantedBy } from "./awaited-version.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import type { ListedJob, ReadModel } from "./ports.ts";
import { filterOf } from "./query-filter.ts";

/** A page of a list, as it was asked for. */
export interface JobListRequest {
  readonly project: string;
  readonly q: string;
  readonly orderBy: string;
  /** 0 means 50; more than 100 means 100. */
  readonly pageSize: number;
  readonly pageToken: string;
  readonly consistencyToken: string;
  readonly signal: AbortSignal;
}

/** A page of a list. */
export interface JobList {
  readonly jobs: readonly ListedJob[];
  readonly nextPageToken: string;
  readonly totalSize: number;
  readonly totalExact: boolean;
}

const PAGE_DEFAULT = 50;
const PAGE_LIMIT = 100;
/** Totals are exact up to here: counting further costs a walk over all of them. */
export const TOTAL_LIMIT = 10_000;

/**
 * Finds the jobs that fit a query, page by page.
 *
 * @throws Fault `INVALID_QUERY` · `INVALID_PAGE_TOKEN` · `INVALID_REQUEST` (orderBy) · `PROJECTION_BEHIND`
 */
export const listJobs =
  ({ readModel, clock }: { readonly readModel: ReadModel; readonly clock: Clock }) =>
  async (request: JobListRequest): Promise<JobList> => {
    const { project, q, pageToken } = request;
    const order = readOrder(request.orderBy);
    if (order === undefined) throw wrongOrder(request.orderBy);
    const belongsTo = [project, q, order.field, order.direction];
    const place = pageToken === "" ? undefined : readPageToken(pageToken, belongsTo);
    const nowMs = place?.nowMs ?? clock.nowMs();
    const filter = filterOf(q, "jobs", nowMs);
    const wanted = wantedBy(request.consistencyToken);
    if (wanted !== undefined) {
      await awaitVersion({ readModel, clock }, project, { ...wanted, signal: request.signal });
    }
    const limit = Math.min(request.pageSize === 0 ? PAGE_DEFAULT : request.pageSize, PAGE_LIMIT);
    const [found, total] = await Promise.all([
      readModel.searchJobs({ project, filter, order, after: place?.after, limit: limit + 1 }),
      readModel.countJobs({ project, filter }, TOTAL_LIMIT + 1),
    ]);
    const jobs = found.slice(0, limit);
    const last = found.length > limit ? jobs.at(-1) : undefined;
    return {
      jobs,
      nextPageToken: last === undefined ? "" : writePageToken({ after: last.position, nowMs }, belongsTo),
      totalSize: Math.min(total, TOTAL_LIMIT),
      totalExact: total <= TOTAL_LIMIT,
    };
  };

function wrongOrder(orderBy: string): Fault {
  const description = `${ORDER_NAMES.join(", ")}, each alone or with asc or desc`;
  return new Fault("INVALID_REQUEST", {
    detail: `Jobs cannot be ordered by "${orderBy}".`,
    fieldViolations: [{ field: "orderBy", description }],
  });
}
