import type { Pool } from "@orrery/mesh/postgres/pool";
import type { Workers } from "../../application/ports.ts";
import { FORGET_WORKERS, LIST_WORKERS, NOTE_WORKERS } from "./worker-statements.ts";

interface WorkerRow {
  readonly name: string;
  readonly tasks: readonly string[];
  readonly queues: readonly string[];
  readonly slots: number;
  readonly leases: number;
  readonly draining: boolean;
  readonly seen_time: number;
  readonly total: number;
}

/** Workers in PostgreSQL, as they were last seen by any replica. */
export function createWorkerStore(pool: Pool): Workers {
  return {
    seen: async (sightings) => {
      await pool.query(NOTE_WORKERS, [
        sightings.map(({ project }) => project ?? null),
        sightings.map(({ name }) => name),
        sightings.map(({ tasks }) => JSON.stringify(tasks ?? [])),
        sightings.map(({ queues }) => JSON.stringify(queues ?? [])),
        sightings.map(({ slots }) => slots ?? null),
        sightings.map(({ draining }) => draining),
      ]);
    },
    list: async (project) => {
      const rows = await pool.query<WorkerRow>(LIST_WORKERS, [project]);
      const workers = rows.map(({ seen_time, total: _total, ...row }) => ({ ...row, seenMs: seen_time }));
      return { workers, total: rows[0]?.total ?? 0 };
    },
    forget: async () => {
      await pool.query(FORGET_WORKERS, []);
    },
  };
}
