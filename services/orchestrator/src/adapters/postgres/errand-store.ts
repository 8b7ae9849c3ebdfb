import type { Pool, Transaction } from "@orrery/mesh/postgres/pool";
import type { AwaitedJob, Errands, HeldErrand } from "../../application/ports.ts";
import type { JobRole } from "../../domain/mission.ts";
import {
  AWAITED_JOBS,
  CLOSE_STEP_JOBS,
  ERRANDS_DONE,
  GIVE_BACK_ERRANDS,
  LOOK_AT_JOBS,
  TAKE_ERRANDS,
} from "./errand-statements.ts";

interface ErrandRow {
  readonly job_id: string;
  readonly mission_id: string;
  readonly step: string;
  readonly role: JobRole;
  readonly errand: "SUBMIT" | "CANCEL" | "RETRY" | null;
  readonly seen_version: number;
  readonly task: string;
  readonly queue: string;
  readonly input: string | null;
  readonly timeout_ms: number | null;
  readonly max_attempts: number | null;
  readonly project: string;
  readonly principal: string;
  readonly correlation_id: string;
  readonly traceparent: string;
}

const KIND_NAMES = { submit: "SUBMIT", cancel: "CANCEL", retry: "RETRY", look: "LOOK" } as const;
const KINDS = { SUBMIT: "submit", CANCEL: "cancel", RETRY: "retry" } as const;

/** Errands in PostgreSQL: a due time says whose turn it is, and moving it ahead takes an errand in hand. */
export function createErrandStore(pool: Pool): Errands {
  return {
    take: async (limit, holdMs) =>
      (await pool.query<ErrandRow>(TAKE_ERRANDS, [limit, holdMs])).map(errandFrom),
    done: async (errands, lookInMs) => {
      await pool.query(ERRANDS_DONE, [
        errands.map(({ jobId }) => jobId),
        errands.map(({ kind }) => KIND_NAMES[kind]),
        errands.map(({ seenVersion }) => seenVersion),
        lookInMs,
      ]);
    },
    giveBack: async (errands, inMs) => {
      await pool.query(GIVE_BACK_ERRANDS, [errands.map(({ jobId }) => jobId), inMs]);
    },
    lookAt: async (jobIds) => {
      await pool.query(LOOK_AT_JOBS, [jobIds]);
    },
    awaited: (jobIds) => awaited(pool, jobIds),
    awaitedIn: awaited,
    close: async (tx, ends) => {
      await tx.query(CLOSE_STEP_JOBS, [ends.map(({ jobId }) => jobId), ends.map(({ version }) => version)]);
    },
  };
}

async function awaited(
  connection: Pick<Transaction, "query">,
  jobIds: readonly string[],
): Promise<readonly AwaitedJob[]> {
  type Row = { job_id: string; mission_id: string; seen_version: number; value_bytes: number };
  const rows = await connection.query<Row>(AWAITED_JOBS, [jobIds]);
  return rows.map((row) => ({
    jobId: row.job_id,
    missionId: row.mission_id,
    valueBytes: row.value_bytes,
    seenVersion: row.seen_version,
  }));
}

const errandFrom = (row: ErrandRow): HeldErrand => ({
  jobId: row.job_id,
  missionId: row.mission_id,
  step: row.step,
  role: row.role,
  kind: row.errand === null ? "look" : KINDS[row.errand],
  seenVersion: row.seen_version,
  task: row.task,
  queue: row.queue,
  inputText: row.input ?? undefined,
  timeoutMs: row.timeout_ms ?? undefined,
  maxAttempts: row.max_attempts ?? undefined,
  caller: {
    project: row.project,
    principal: row.principal,
    correlationId: row.correlation_id,
    traceparent: row.traceparent,
  },
});
