import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { pageOf } from "@orrery/mesh/transport/answer-size";
import { timeOfUuid } from "../domain/uuid-time.ts";
import { awaitWrite, type ReadAfterWrite } from "./awaited-version.ts";
import type { ReadModel, StoredEvent } from "./ports.ts";
import { filterOf } from "./query-filter.ts";

const PAGE_DEFAULT = 50;
const PAGE_LIMIT = 100;

/**
 * Reads the events of a project that fit a query, the oldest first; of large ones fewer than asked for.
 *
 * @returns `next` is the eventId to go on after, empty at the end
 * @throws Fault `INVALID_QUERY` · `INVALID_REQUEST` (after) · `PROJECTION_BEHIND`
 */
export const listEvents =
  ({ readModel, clock }: { readonly readModel: ReadModel; readonly clock: Clock }) =>
  async (
    request: ReadAfterWrite & { readonly q: string; readonly after: string; readonly pageSize: number },
  ): Promise<{ readonly events: readonly StoredEvent[]; readonly next: string }> => {
    const { project, q, signal } = request;
    const after = request.after.toLowerCase();
    if (after !== "" && timeOfUuid(after) === undefined) {
      throw new Fault("INVALID_REQUEST", {
        detail: "after has to be the eventId of an event.",
        fieldViolations: [{ field: "after", description: "the eventId of an event, a UUIDv7" }],
      });
    }
    const filter = filterOf(q, "events", clock.nowMs());
    await awaitWrite({ readModel, clock }, request);
    const limit = Math.min(request.pageSize === 0 ? PAGE_DEFAULT : request.pageSize, PAGE_LIMIT);
    const found = await readModel.searchEvents({ project, filter, after, limit: limit + 1, signal });
    const { page: events, more } = pageOf(found, limit, ({ envelope }) => envelope);
    return { events, next: more ? (events.at(-1)?.eventId ?? "") : "" };
  };
