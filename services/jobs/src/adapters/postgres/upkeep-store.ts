import type { Pool } from "@orrery/mesh/postgres/pool";
import type { Partitions } from "../../application/ports.ts";
import { DATABASE_NOW, EXTEND_PARTITIONS } from "./upkeep-statements.ts";

/** The partitions of the service's own tables; the outbox keeps its own. */
export const createPartitions = (pool: Pool): Partitions => ({
  extend: async () => {
    await pool.query(EXTEND_PARTITIONS, []);
  },
});

/** Reads the database's clock, in epoch milliseconds. */
export const databaseNow = (pool: Pool) => async (): Promise<number> => {
  const [row] = await pool.query<{ now_ms: number }>(DATABASE_NOW, []);
  if (row === undefined) throw new Error("the database gave no time");
  return row.now_ms;
};
