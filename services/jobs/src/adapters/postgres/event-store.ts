import type { Pool } from "@orrery/mesh/postgres/pool";
import type { JobEvents } from "../../application/ports.ts";
import { hasEnded, type JobStatus } from "../../domain/job-state.ts";
import { EVENTS_AFTER, VERSIONS } from "./read-statements.ts";

interface EventRow {
  readonly aggregate_id: string;
  readonly version: number;
  readonly event_type: string;
  readonly payload: string;
}

/** The events of jobs, read from the outbox, which keeps them for longer than the broker does. */
export function createEventStore(pool: Pool): JobEvents {
  return {
    after: async (positions, limit) => {
      const rows = await pool.query<EventRow>(EVENTS_AFTER, [
        positions.map(({ jobId }) => jobId),
        positions.map(({ version }) => version),
        limit,
      ]);
      return rows.map((row) => ({
        jobId: row.aggregate_id,
        version: row.version,
        name: row.event_type.slice(row.event_type.lastIndexOf(".") + 1),
        envelope: row.payload,
      }));
    },
    versions: async (ids) => {
      type Row = { id: string; version: number; status: JobStatus };
      const rows = await pool.query<Row>(VERSIONS, [ids]);
      return new Map(rows.map(({ id, version, status }) => [id, { version, ended: hasEnded(status) }]));
    },
  };
}
