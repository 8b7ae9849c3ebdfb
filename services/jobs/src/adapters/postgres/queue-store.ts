import type { Pool, Transaction } from "@orrery/mesh/postgres/pool";
import type { Pair, Queues, QueueView } from "../../application/ports.ts";
import {
  CHANGE_QUEUE,
  PAIRS_WITHOUT_ROOM,
  QUEUE_DEPTHS,
  READ_QUEUES,
  REGISTER_QUEUES,
} from "./queue-statements.ts";

interface QueueRow {
  readonly name: string;
  readonly paused: boolean;
  readonly concurrency: number;
  readonly concurrency_per_key: number;
  readonly rate_limit: number;
  readonly rate_period_ms: number;
  readonly scheduled: number;
  readonly queued: number;
  readonly running: number;
  readonly retrying: number;
  readonly oldest_seconds: number;
}

interface DepthRow {
  readonly queue: string;
  readonly status: string;
  readonly jobs: number;
  readonly oldest_seconds: number;
}

/** Queues in PostgreSQL. */
export function createQueueStore(pool: Pool): Queues {
  return {
    register: (tx, entries) => {
      tx.post(REGISTER_QUEUES, pairColumns(entries));
    },
    withoutRoom: (tx, pairs, limit) => tx.query<Pair>(PAIRS_WITHOUT_ROOM, [...pairColumns(pairs), limit]),
    change: async (tx, project, name, change) => {
      await tx.query(CHANGE_QUEUE, [
        project,
        name,
        change.paused ?? null,
        change.concurrency ?? null,
        change.concurrencyPerKey ?? null,
        change.rateLimit ?? null,
        change.ratePeriodMs ?? null,
      ]);
    },
    list: (project) => read(pool, project, undefined),
    read: async (project, name, tx) => (await read(tx ?? pool, project, name))[0],
    depths: async () => {
      const rows = await pool.query<DepthRow>(QUEUE_DEPTHS, []);
      return rows.map(({ oldest_seconds, ...row }) => ({ ...row, oldestWaitSeconds: oldest_seconds }));
    },
  };
}

const pairColumns = (pairs: readonly Pair[]): readonly string[][] => [
  pairs.map(({ project }) => project),
  pairs.map(({ queue }) => queue),
  pairs.map(({ task }) => task),
];

async function read(
  source: Pick<Pool, "query"> | Transaction,
  project: string,
  name: string | undefined,
): Promise<readonly QueueView[]> {
  const rows = await source.query<QueueRow>(READ_QUEUES, [project, name ?? null]);
  return rows.map((row) => ({
    project,
    name: row.name,
    paused: row.paused,
    limits: {
      concurrency: row.concurrency,
      concurrencyPerKey: row.concurrency_per_key,
      rateLimit: row.rate_limit,
      ratePeriodMs: row.rate_period_ms,
    },
    depth: { SCHEDULED: row.scheduled, QUEUED: row.queued, RUNNING: row.running, RETRYING: row.retrying },
    oldestWaitSeconds: Math.floor(row.oldest_seconds),
  }));
}
