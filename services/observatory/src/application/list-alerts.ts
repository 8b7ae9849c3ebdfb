import type { ListOrder } from "../domain/list-order.ts";
import { PLATFORM } from "../domain/projection.ts";
import { EVERYTHING, type Filter } from "../domain/query/filter.ts";
import type { ListedDocument, ReadModel } from "./ports.ts";

const PAGE_DEFAULT = 50;
const PAGE_LIMIT = 100;
const MOST_SEVERE_FIRST: ListOrder = { field: "priority", direction: "desc" };
const ACTIVE: Filter = { is: "not", of: { is: "one of", field: "status", values: ["resolved"] } };

/** Reads the platform's alerts, which are the same for every project: the most severe first, then the newest. */
export const listAlerts =
  ({ readModel }: { readonly readModel: ReadModel }) =>
  async (request: {
    /** Who asks. */
    readonly project: string;
    readonly includeResolved: boolean;
    /** 0 means 50; more than 100 means 100. */
    readonly pageSize: number;
  }): Promise<readonly ListedDocument[]> =>
    readModel.search({
      kind: "alert",
      project: PLATFORM,
      asker: request.project,
      filter: request.includeResolved ? EVERYTHING : ACTIVE,
      order: MOST_SEVERE_FIRST,
      after: undefined,
      limit: Math.min(request.pageSize === 0 ? PAGE_DEFAULT : request.pageSize, PAGE_LIMIT),
    });
