import type { Pool, Transaction } from "@orrery/mesh/postgres/pool";
import type { DueKind, Jobs, LockedQueue, ReadyJob } from "../../application/ports.ts";
import { CANCEL_ANSWER_MS } from "../../domain/lease.ts";
import { fullKeys, roomLeft } from "../../domain/queue-limits.ts";
import { type ReadyStateRow, readyStateFrom } from "./job-row.ts";
import {
  ANY_LIMITED_QUEUE,
  CANDIDATES,
  COUNT_RUNNING,
  COUNT_STARTS,
  DUE_ATTEMPTS,
  DUE_EXPIRIES,
  DUE_PROMOTIONS,
  HOLD_REQUEST,
  LEASED_BEFORE,
  LOCK_LIMITED_QUEUES,
  NEXT_DUE,
  NOTE_STARTS,
  READY_BY_ID,
  READY_UNLIMITED,
} from "./ready-statements.ts";

type ReadyRow = ReadyStateRow & {
  readonly input_bytes: number;
  readonly now_ms: number;
};

interface LimitedQueueRow {
  readonly project: string;
  readonly name: string;
  readonly concurrency: number;
  readonly concurrency_per_key: number;
  readonly rate_limit: number;
  readonly rate_period_ms: number;
}

interface CandidateRow {
  readonly id: string;
  readonly project: string;
  readonly queue: string;
  readonly concurrency_key: string;
  readonly input_bytes: number;
}

/** What of the job store finds things to do: ready jobs, limited queues, what is due. */
type ReadyStore = Pick<
  Jobs,
  | "readyUnlimited"
  | "lockLimitedQueues"
  | "candidates"
  | "readyById"
  | "noteStarts"
  | "leasedBefore"
  | "due"
  | "nextDueInMs"
  | "anyLimitedQueue"
>;

export function createReadyStore(pool: Pool): ReadyStore {
  return {
    readyUnlimited: async (tx, { tasks, project, queues, limit, inputBytes }) =>
      readyFrom(
        await tx.query<ReadyRow>(READY_UNLIMITED, [tasks, project ?? null, queues, limit, inputBytes]),
      ),
    lockLimitedQueues: async (tx, { tasks, project, queues }) => {
      const rows = await tx.query<LimitedQueueRow>(LOCK_LIMITED_QUEUES, [tasks, project ?? null, queues]);
      return rows.length === 0 ? [] : counted(tx, rows);
    },
    candidates: async (tx, { tasks, limit }, queues) => {
      const open = queues.map((queue) => ({
        ...queue,
        room: Math.min(limit, roomLeft(queue.limits, queue.use)),
      }));
      const asked = open.filter(({ room }) => room > 0);
      if (asked.length === 0) return [];
      const full = asked.flatMap((queue) =>
        fullKeys(queue.limits, queue.use).map((key) => ({ ...queue, key })),
      );
      const rows = await tx.query<CandidateRow>(CANDIDATES, [
        tasks,
        asked.map(({ project }) => project),
        asked.map(({ name }) => name),
        // With a limit for each key the first jobs may all have one key: look further, so that others get
        // their turn.
        asked.map(({ limits, room }) => (limits.concurrencyPerKey > 0 ? limit : room)),
        full.map(({ project }) => project),
        full.map(({ name }) => name),
        full.map(({ key }) => key),
      ]);
      return rows.map((row) => ({
        ...row,
        concurrencyKey: row.concurrency_key,
        inputBytes: row.input_bytes,
      }));
    },
    readyById: async (tx, ids) => readyFrom(await tx.query<ReadyRow>(READY_BY_ID, [ids])),
    noteStarts: async (tx, starts) => {
      await tx.query(NOTE_STARTS, [
        starts.map(({ project }) => project),
        starts.map(({ queue }) => queue),
        starts.map(({ starts: count }) => count),
        starts.map(({ atMs }) => atMs),
      ]);
    },
    leasedBefore: async (tx, { project, principal, requestId }) => {
      await tx.query(HOLD_REQUEST, [`${principal} ${requestId}`]);
      type Row = ReadyRow & { readonly lease_expire_time: number };
      const rows = await tx.query<Row>(LEASED_BEFORE, [principal, requestId, project ?? null]);
      return rows.map((row) => ({
        job: { ...readyStateFrom(row), status: "RUNNING" as const },
        inputText: row.input ?? undefined,
        leaseExpireMs: row.lease_expire_time,
      }));
    },
    due: async (kind, limit) => {
      const rows = await dueRows(pool, kind, limit);
      return rows.map(({ id }) => id);
    },
    nextDueInMs: async () => {
      const [row] = await pool.query<{ in_ms: number | null }>(NEXT_DUE, []);
      return row?.in_ms ?? undefined;
    },
    anyLimitedQueue: async () => {
      const [row] = await pool.query<{ found: boolean }>(ANY_LIMITED_QUEUE, []);
      return row?.found ?? false;
    },
  };
}

function dueRows(pool: Pool, kind: DueKind, limit: number): Promise<{ id: string }[]> {
  switch (kind) {
    case "promotion":
      return pool.query(DUE_PROMOTIONS, [limit]);
    case "expiry":
      return pool.query(DUE_EXPIRIES, [limit]);
    case "attempt":
      return pool.query(DUE_ATTEMPTS, [limit, CANCEL_ANSWER_MS]);
  }
}

function readyFrom(rows: readonly ReadyRow[]): { ready: readonly ReadyJob[]; nowMs: number } {
  const ready = rows.map((row) => ({
    job: readyStateFrom(row),
    inputText: row.input ?? undefined,
    inputBytes: row.input_bytes,
  }));
  return { ready, nowMs: Math.floor(rows.at(-1)?.now_ms ?? 0) };
}

/** I20: counted after the lock on the queue was taken, so that nobody else's grant is missed. */
async function counted(tx: Transaction, rows: readonly LimitedQueueRow[]): Promise<readonly LockedQueue[]> {
  const projects = rows.map(({ project }) => project);
  const names = rows.map(({ name }) => name);
  const periods = rows.map(({ rate_period_ms }) => rate_period_ms);
  type Running = { project: string; queue: string; concurrency_key: string; running: number };
  const running = await tx.query<Running>(COUNT_RUNNING, [projects, names]);
  type Starts = { project: string; queue: string; starts: number };
  const starts = await tx.query<Starts>(COUNT_STARTS, [projects, names, periods]);
  return rows.map((row) => {
    const mine = running.filter(({ project, queue }) => project === row.project && queue === row.name);
    return {
      project: row.project,
      name: row.name,
      limits: {
        concurrency: row.concurrency,
        concurrencyPerKey: row.concurrency_per_key,
        rateLimit: row.rate_limit,
        ratePeriodMs: row.rate_period_ms,
      },
      use: {
        running: mine.reduce((sum, { running: jobs }) => sum + jobs, 0),
        runningByKey: new Map(
          mine.flatMap(({ concurrency_key, running: jobs }) =>
            concurrency_key === "" ? [] : [[concurrency_key, jobs]],
          ),
        ),
        starts:
          starts.find(({ project, queue }) => project === row.project && queue === row.name)?.starts ?? 0,
      },
    };
  });
}
