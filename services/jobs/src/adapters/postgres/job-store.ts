import { jsonSequence } from "@orrery/mesh/postgres/json-sequence";
import type { Pool, Transaction } from "@orrery/mesh/postgres/pool";
import type { Change, Jobs, NewLease, Success } from "../../application/ports.ts";
import type { HeldJob } from "../../domain/attempt-decisions.ts";
import { plainArray } from "./array-literal.ts";
import {
  type AttemptRow,
  attemptFrom,
  type JobRow,
  jobFrom,
  type LeaseColumns,
  leaseFrom,
  type SucceededRow,
  succeededFrom,
} from "./job-row.ts";
import {
  ATTEMPTS_AT,
  INSERT_JOBS,
  LOCK_FREE_JOBS,
  LOCK_JOBS,
  SAVE_GRANTS,
  SAVE_JOBS,
  SUCCEED,
} from "./job-statements.ts";
import { READ_ATTEMPTS, READ_JOB, SURROUNDINGS } from "./read-statements.ts";
import { createReadyStore } from "./ready-store.ts";

type LockedRow = JobRow & LeaseColumns & { readonly now_ms: number };

interface SurroundingsRow {
  readonly paused: boolean;
  readonly concurrency: number;
  readonly concurrency_per_key: number;
  readonly rate_limit: number;
  readonly rate_period_ms: number;
  readonly running: number;
  readonly running_with_key: number;
  readonly starts: number;
  readonly rate_free: number | null;
  readonly workers: number;
  readonly built_in: readonly string[];
  readonly position: number;
}

/**
 * The store of jobs, attempts and leases in PostgreSQL. What transactions are not needed for goes through the
 * pool.
 */
export function createJobStore(pool: Pool): Jobs {
  return {
    ...createReadyStore(pool),
    insertAll: (tx, changes) => {
      tx.post(INSERT_JOBS, insertColumns(changes));
    },
    lockAll: (tx, refs) =>
      lock(
        tx,
        LOCK_JOBS,
        refs.map(({ jobId }) => jobId),
      ),
    lockFree: (tx, ids) => lock(tx, LOCK_FREE_JOBS, ids),
    attemptsAt: async (tx, refs) => {
      const rows = await tx.query<AttemptRow>(ATTEMPTS_AT, [
        refs.map(({ jobId }) => jobId),
        refs.map(({ epoch }) => epoch),
      ]);
      return rows.map(attemptFrom);
    },
    saveAll: async (tx, changes) => {
      const inOrder = [...changes].sort((a, b) => (a.job.id < b.job.id ? -1 : 1));
      const saved = await tx.query(SAVE_JOBS, saveColumns(inOrder));
      atTheirVersions(saved.length, changes.length);
    },
    succeedAll: async (tx, successes) => {
      const inOrder = [...successes].sort((a, b) => (a.jobId < b.jobId ? -1 : 1));
      const rows = await tx.query<SucceededRow>(SUCCEED, successColumns(inOrder));
      return rows.map(succeededFrom);
    },
    saveGrants: (tx, leases) => {
      tx.post(SAVE_GRANTS, grantColumns(leases));
    },
    read: async (project, id, tx) => {
      const values = [id, project];
      type Row = JobRow & { readonly input: string | null; readonly output: string | null };
      const [row] = await (tx === undefined
        ? pool.query<Row>(READ_JOB, values)
        : tx.query<Row>(READ_JOB, values));
      if (row === undefined) return undefined;
      return { job: jobFrom(row), inputText: row.input ?? undefined, outputText: row.output ?? undefined };
    },
    surroundings: async (job, tx) => {
      const rank = 9 - job.priority;
      const values = [job.project, job.queue, job.task, rank, job.runMs, job.id, job.concurrencyKey];
      const [row] = await (tx ?? pool).query<SurroundingsRow>(SURROUNDINGS, values);
      return row === undefined ? undefined : surroundingsFrom(row);
    },
    attempts: async (project, id) => {
      const rows = await pool.query<AttemptRow>(READ_ATTEMPTS, [id, project]);
      if (rows.length > 0) return rows.map(attemptFrom);
      const [job] = await pool.query<JobRow>(READ_JOB, [id, project]);
      return job === undefined ? undefined : [];
    },
  };
}

async function lock(
  tx: Transaction,
  statement: typeof LOCK_JOBS,
  ids: readonly string[],
): Promise<{ held: Map<string, HeldJob>; nowMs: number }> {
  const inOrder = [...new Set(ids)].sort();
  const rows = await tx.query<LockedRow>(statement, [plainArray(inOrder)]);
  const held = new Map<string, HeldJob>();
  for (const row of rows) {
    held.set(row.id, { job: jobFrom(row), lease: leaseFrom(row.id, row), attempt: undefined });
  }
  return { held, nowMs: Math.floor(rows.at(-1)?.now_ms ?? 0) };
}

/** I8: under its lock a job cannot have moved on; if one did, nothing of this transaction may stand. */
function atTheirVersions(saved: number, wanted: number): void {
  if (saved !== wanted) throw new Error(`${wanted - saved} of ${wanted} jobs were not at the version before`);
}

function insertColumns(changes: readonly Change[]): unknown[] {
  const jobs = changes.map(({ job }) => job);
  return [
    plainArray(jobs.map((job) => job.id)),
    jobs.map((job) => job.project),
    jobs.map((job) => job.task),
    jobs.map((job) => job.queue),
    plainArray(jobs.map((job) => job.status)),
    plainArray(jobs.map((job) => job.priority)),
    plainArray(jobs.map((job) => job.maxAttempts)),
    plainArray(jobs.map((job) => job.timeoutMs)),
    plainArray(jobs.map((job) => job.retryPolicy.initialDelayMs)),
    plainArray(jobs.map((job) => job.retryPolicy.factor)),
    plainArray(jobs.map((job) => job.retryPolicy.maxDelayMs)),
    plainArray(jobs.map((job) => job.retryPolicy.jitter)),
    plainArray(jobs.map((job) => job.createMs)),
    plainArray(jobs.map((job) => job.runMs)),
    plainArray(jobs.map((job) => job.expireMs)),
    jsonSequence(jobs.map((job) => JSON.stringify(job.labels))),
    jobs.map((job) => job.concurrencyKey),
    jobs.map((job) => job.correlationId),
    jobs.map((job) => job.traceparent),
    changes.map(({ principal }) => principal ?? ""),
    jobs.map((job) => job.missionId),
    jobs.map((job) => job.step),
    jsonSequence(changes.map(({ inputText }) => inputText)),
  ];
}

function successColumns(successes: readonly Success[]): unknown[] {
  return [
    plainArray(successes.map(({ jobId }) => jobId)),
    plainArray(successes.map(({ epoch }) => epoch)),
    jsonSequence(successes.map(({ outputText }) => outputText)),
    plainArray(successes.map(({ digest }) => digest)),
    successes.map(({ by }) => by.principal),
    successes.map(({ by }) => by.project ?? null),
  ];
}

function saveColumns(changes: readonly Change[]): unknown[] {
  const jobs = changes.map(({ job }) => job);
  const ended = changes.map(({ attempt }) => (attempt?.status === "RUNNING" ? undefined : attempt));
  return [
    plainArray(jobs.map((job) => job.id)),
    plainArray(changes.map(({ from }) => from)),
    plainArray(jobs.map((job) => job.status)),
    plainArray(jobs.map((job) => job.version)),
    plainArray(jobs.map((job) => job.maxAttempts)),
    plainArray(jobs.map((job) => job.released)),
    plainArray(jobs.map((job) => job.failures)),
    plainArray(jobs.map((job) => job.runMs)),
    plainArray(jobs.map((job) => job.startMs)),
    plainArray(jobs.map((job) => job.endMs)),
    plainArray(jobs.map((job) => job.expireMs)),
    plainArray(jobs.map((job) => job.cancelRequestMs)),
    jobs.map((job) => job.reason),
    jobs.map((job) => job.error?.type ?? null),
    jobs.map((job) => job.error?.message ?? null),
    plainArray(jobs.map((job) => job.error?.retryable)),
    changes.map(({ outputText }) => outputText ?? null),
    plainArray(ended.map((attempt) => attempt?.status)),
    plainArray(ended.map((attempt) => attempt?.endMs)),
    ended.map((attempt) => attempt?.error?.type ?? null),
    ended.map((attempt) => attempt?.error?.message ?? null),
    plainArray(ended.map((attempt) => attempt?.error?.retryable)),
    ended.map((attempt) => attempt?.digest ?? null),
  ];
}

function grantColumns(leases: readonly NewLease[]): unknown[] {
  const steps = leases.map(({ transition }) => transition);
  return [
    plainArray(steps.map(({ job }) => job.id)),
    plainArray(steps.map(({ job }) => job.version)),
    plainArray(steps.map(({ job }) => job.attempt)),
    plainArray(steps.map(({ attempt }) => attempt.startMs)),
    steps.map(({ attempt }) => attempt.worker),
    steps.map(({ attempt }) => attempt.principal),
    leases.map(({ requestId }) => requestId),
    plainArray(leases.map(({ leaseExpireMs }) => leaseExpireMs)),
  ];
}

function surroundingsFrom(row: SurroundingsRow) {
  return {
    paused: row.paused,
    limits: {
      concurrency: row.concurrency,
      concurrencyPerKey: row.concurrency_per_key,
      rateLimit: row.rate_limit,
      ratePeriodMs: row.rate_period_ms,
    },
    running: row.running,
    runningWithKey: row.running_with_key,
    starts: row.starts,
    rateFreeMs: row.rate_free ?? undefined,
    workers: row.workers,
    builtIn: row.built_in,
    position: row.position,
  };
}
