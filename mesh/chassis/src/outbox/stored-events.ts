import type { Pool, Statement } from "../postgres/pool.ts";

/** One stored event, as it was published. */
export interface PublishedEvent {
  readonly aggregateId: string;
  readonly version: number;
  /** The last word of its type. */
  readonly name: string;
  /** The envelope's JSON. */
  readonly envelope: string;
}

/** Where to read on: behind a version of an aggregate. */
export interface EventPosition {
  readonly aggregateId: string;
  readonly version: number;
}

/** Served by the outbox's primary key in each of its days. */
const EVENTS_AFTER: Statement = {
  name: "outbox.after",
  text: `select e.aggregate_id, e.version, e.event_type, e.payload
from unnest($1::uuid[], $2::int[]) as asked (aggregate_id, version)
cross join lateral (
  select o.aggregate_id, o.version, o.event_type, o.payload from outbox o
  where o.aggregate_id = asked.aggregate_id and o.version > asked.version order by o.version limit $3) e
order by e.aggregate_id, e.version`,
};

/**
 * The events of aggregates after a version each, from the outbox, which keeps them for longer than the broker does.
 *
 * @param limit - events of each aggregate, 1 or more
 * @returns by aggregate and version
 * @throws Fault as `Pool.query` does
 */
export async function eventsAfter(
  pool: Pool,
  positions: readonly EventPosition[],
  limit: number,
): Promise<readonly PublishedEvent[]> {
  const rows = await pool.query<{
    aggregate_id: string;
    version: number;
    event_type: string;
    payload: string;
  }>(EVENTS_AFTER, [
    positions.map(({ aggregateId }) => aggregateId),
    positions.map(({ version }) => version),
    limit,
  ]);
  return rows.map((row) => ({
    aggregateId: row.aggregate_id,
    version: row.version,
    name: row.event_type.slice(row.event_type.lastIndexOf(".") + 1),
    envelope: row.payload,
  }));
}
