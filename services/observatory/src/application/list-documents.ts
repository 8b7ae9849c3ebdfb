import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { pageOf } from "@orrery/mesh/transport/answer-size";
import { ORDER_NAMES, readOrder } from "../domain/list-order.ts";
import { awaitWrite, type ReadAfterWrite } from "./awaited-version.ts";
import { readPageToken, writePageToken } from "./page-token.ts";
import type { ListedDocument, ReadModel } from "./ports.ts";
import { filterOf } from "./query-filter.ts";

/** A page of a list, as it was asked for. */
export interface ListRequest extends ReadAfterWrite {
  readonly q: string;
  readonly orderBy: string;
  /** 0 means 50; more than 100 means 100. */
  readonly pageSize: number;
  readonly pageToken: string;
}

/** A page of a list. */
export interface ListedPage {
  readonly documents: readonly ListedDocument[];
  readonly nextPageToken: string;
  readonly totalSize: number;
  readonly totalExact: boolean;
}

const PAGE_DEFAULT = 50;
const PAGE_LIMIT = 100;
/** Totals are exact up to here: counting further costs a walk over all of them. */
const TOTAL_LIMIT = 10_000;

const SEARCHED = { job: "jobs", mission: "missions" } as const;

/**
 * Finds the jobs, or the missions, that fit a query, page by page; of large ones fewer than asked for.
 *
 * @throws Fault `INVALID_QUERY` · `INVALID_PAGE_TOKEN` · `INVALID_REQUEST` (orderBy) · `PROJECTION_BEHIND`
 */
export const listDocuments =
  ({ readModel, clock }: { readonly readModel: ReadModel; readonly clock: Clock }, kind: "job" | "mission") =>
  async (request: ListRequest): Promise<ListedPage> => {
    const { project, q, pageToken, signal } = request;
    const order = readOrder(request.orderBy, ORDER_NAMES[kind]);
    if (order === undefined) throw wrongOrder(kind, request.orderBy);
    const belongsTo = [kind, project, q, order.field, order.direction];
    const place = pageToken === "" ? undefined : readPageToken(pageToken, belongsTo);
    const nowMs = place?.nowMs ?? clock.nowMs();
    const filter = filterOf(q, SEARCHED[kind], nowMs);
    await awaitWrite({ readModel, clock }, request);
    const limit = Math.min(request.pageSize === 0 ? PAGE_DEFAULT : request.pageSize, PAGE_LIMIT);
    const [found, total] = await Promise.all([
      readModel.search({ kind, project, filter, order, after: place?.after, limit: limit + 1, signal }),
      readModel.count({ kind, project, filter, signal }, TOTAL_LIMIT + 1),
    ]);
    const { page: documents, more } = pageOf(found, limit, ({ body }) => body);
    const last = more ? documents.at(-1) : undefined;
    return {
      documents,
      nextPageToken: last === undefined ? "" : writePageToken({ after: last.position, nowMs }, belongsTo),
      totalSize: Math.min(total, TOTAL_LIMIT),
      totalExact: total <= TOTAL_LIMIT,
    };
  };

function wrongOrder(kind: "job" | "mission", orderBy: string): Fault {
  const description = `${ORDER_NAMES[kind].join(", ")}, each alone or with asc or desc`;
  return new Fault("INVALID_REQUEST", {
    detail: `A list of ${SEARCHED[kind]} cannot be ordered by "${orderBy}".`,
    fieldViolations: [{ field: "orderBy", description }],
  });
}
