import type { Clock } from "@orrery/mesh/time/clock";
import type { ListOrder } from "../domain/list-order.ts";
import { PLATFORM } from "../domain/projection.ts";
import { EVERYTHING, type Filter } from "../domain/query/filter.ts";
import { awaitWrite, type ReadAfterWrite } from "./awaited-version.ts";
import type { ListedDocument, ReadModel } from "./ports.ts";

const PAGE_DEFAULT = 50;
const PAGE_LIMIT = 100;
const MOST_SEVERE_FIRST: ListOrder = { field: "priority", direction: "desc" };
const ACTIVE: Filter = { is: "not", of: { is: "one of", field: "status", values: ["resolved"] } };

/** A list of alerts, as a project asked for it. */
export interface AlertsRequest extends ReadAfterWrite {
  readonly includeResolved: boolean;
  /** 0 means 50; more than 100 means 100. */
  readonly pageSize: number;
}

/**
 * Reads the platform's alerts, which are the same for every project: the most severe first, then the newest.
 *
 * @throws Fault `PROJECTION_BEHIND`
 */
export const listAlerts =
  ({ readModel, clock }: { readonly readModel: ReadModel; readonly clock: Clock }) =>
  async (request: AlertsRequest): Promise<readonly ListedDocument[]> => {
    await awaitWrite({ readModel, clock }, request);
    const limit = Math.min(request.pageSize === 0 ? PAGE_DEFAULT : request.pageSize, PAGE_LIMIT);
    return searchAlerts(readModel, request, { includeResolved: request.includeResolved, limit });
  };

/** The same, without waiting for a write. */
export const searchAlerts = (
  readModel: Pick<ReadModel, "search">,
  { project: asker, signal }: Pick<ReadAfterWrite, "project" | "signal">,
  { includeResolved, limit }: { readonly includeResolved: boolean; readonly limit: number },
): Promise<readonly ListedDocument[]> =>
  readModel.search({
    kind: "alert",
    project: PLATFORM,
    asker,
    filter: includeResolved ? EVERYTHING : ACTIVE,
    order: MOST_SEVERE_FIRST,
    after: undefined,
    limit,
    signal,
  });
