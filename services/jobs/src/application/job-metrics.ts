import type { Listener } from "@orrery/mesh/outbox/announcements";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Clock } from "@orrery/mesh/time/clock";
import type { Moved } from "../domain/job.ts";
import { ATTEMPT_STATUSES, ENDS, hasEnded, OPEN } from "../domain/job-state.ts";
import type { Queues } from "./ports.ts";

/** Seconds, from a millisecond to a week. */
const LONG_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600, 86_400, 604_800,
];

/** Counts what committed transitions tell. */
export function createJobMetrics(metrics: Metrics): Listener<Moved> {
  const submitted = metrics.counter("orrery_jobs_submitted_total", "Jobs accepted.");
  const finished = metrics.counter("orrery_jobs_finished_total", "Jobs that reached an end, by the end.", [
    "status",
  ]);
  const attempts = metrics.counter("orrery_job_attempts_finished_total", "Attempts that ended, by how.", [
    "status",
  ]);
  const duration = metrics.histogram(
    "orrery_job_duration_seconds",
    "From an attempt's start to its end.",
    [],
    LONG_BUCKETS,
  );
  const waited = metrics.histogram(
    "orrery_job_wait_seconds",
    "From the time when a job could run to its start.",
    [],
    LONG_BUCKETS,
  );
  // From the first scrape on, so that a rate sees the first of each as well.
  for (const status of ENDS) finished.inc({ status }, 0);
  for (const status of ATTEMPT_STATUSES) if (status !== "RUNNING") attempts.inc({ status }, 0);
  return (changes) => {
    for (const { job, from, fact, attempt, occurredMs } of changes) {
      if (from === undefined) submitted.inc();
      if (hasEnded(job.status)) finished.inc({ status: job.status });
      if (fact === "JobStarted") waited.observe(Math.max(0, occurredMs - job.runMs) / 1000);
      if (attempt === undefined || attempt.status === "RUNNING") continue;
      attempts.inc({ status: attempt.status });
      duration.observe(Math.max(0, (attempt.endMs ?? occurredMs) - attempt.startMs) / 1000);
    }
  };
}

/** How long a wait grows without a reading: beyond the rest after one that took a second. */
const GROWING_MS = 30_000;

/**
 * Reads the depth of all queues from the database, so that every replica shows the same. How long the oldest job has
 * waited goes on growing until the next reading, because the replicas do not read at the same moment; for 30 s at most,
 * so that one whose readings fail does not make it up.
 *
 * @returns one reading
 */
export function createQueueGauges(metrics: Metrics, queues: Queues, clock: Clock): () => Promise<void> {
  const depth = metrics.gauge("orrery_queue_depth", "Jobs in a queue that have not ended, by status.", [
    "queue",
    "status",
  ]);
  /** Since when the longest waiting ready job of a queue waits, by the monotonic clock; Infinity where none does. */
  let oldest: ReadonlyMap<string, number> = new Map();
  let readMs = 0;
  metrics.sampled(
    "orrery_queue_oldest_seconds",
    "How long the longest waiting ready job has waited.",
    ["queue"],
    (gauge) => {
      const nowMs = Math.min(clock.monotonicMs(), readMs + GROWING_MS);
      gauge.reset();
      for (const [queue, sinceMs] of oldest) gauge.set({ queue }, Math.max(0, nowMs - sinceMs) / 1_000);
    },
  );
  const bounded = metrics.boundedLabel();
  return async () => {
    const rows = await queues.depths();
    const nowMs = clock.monotonicMs();
    const longest = new Map<string, number>();
    depth.reset();
    for (const row of rows) {
      const queue = bounded(row.queue);
      for (const status of OPEN) depth.inc({ queue, status }, status === row.status ? row.jobs : 0);
      const sinceMs = row.status === "QUEUED" ? nowMs - row.oldestWaitSeconds * 1_000 : Infinity;
      longest.set(queue, Math.min(longest.get(queue) ?? Infinity, sinceMs));
    }
    oldest = longest;
    readMs = nowMs;
  };
}
