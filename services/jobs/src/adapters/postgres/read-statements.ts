import type { Statement } from "@orrery/mesh/postgres/pool";
import { JOB_COLUMNS } from "./job-statements.ts";

export const READ_JOB: Statement = {
  name: "job.read",
  text: `select ${JOB_COLUMNS}, input, output from job where id = $1 and project = $2`,
};

export const READ_ATTEMPTS: Statement = {
  name: "attempt.read",
  text: `select job_id, attempt, status, worker, principal, start_time, end_time, error_type, error_message,
  error_retryable, digest
from attempt where job_id = $1 and project = $2 order by attempt`,
};

/**
 * What is around a job that waits in a queue. The position is counted in the ranges of job_ready, 999 rows at
 * most, and so are the workers, in the index of their project.
 */
export const SURROUNDINGS: Statement = {
  name: "job.surroundings",
  text: `select q.paused, q.concurrency, q.concurrency_per_key, q.rate_limit, q.rate_period_ms,
  (select count(*)::int from lease l where l.project = q.project and l.queue = q.name) as running,
  (select count(*)::int from lease l where l.project = q.project and l.queue = q.name and l.concurrency_key = $7)
    as running_with_key,
  (select coalesce(sum(s.starts), 0)::int from queue_start s where s.project = q.project and s.queue = q.name
     and s.start_time > clock_timestamp() - q.rate_period_ms * interval '1 millisecond') as starts,
  (select min(s.start_time) + q.rate_period_ms * interval '1 millisecond' from queue_start s
   where s.project = q.project and s.queue = q.name
     and s.start_time > clock_timestamp() - q.rate_period_ms * interval '1 millisecond') as rate_free,
  (select count(*)::int from worker w where w.project in (q.project, '') and not w.draining
     and w.seen_time > clock_timestamp() - interval '30 seconds' and $3 = any(w.tasks)
     and (cardinality(w.queues) = 0 or q.name = any(w.queues))) as workers,
  (select count(*)::int from (
     select 1 from queue_task t cross join lateral (
       select 1 from job_ready r where r.project = t.project and r.queue = t.queue and r.task = t.task
         and (r.rank, r.run_time, r.id) < ($4::smallint, to_timestamp($5::float8 / 1000), $6::uuid) limit 999) ahead
     where t.project = q.project and t.queue = q.name limit 999) counted) + 1 as position
from queue q where q.project = $1 and q.name = $2`,
};

/** Served by the outbox's primary key in each of its days. */
export const EVENTS_AFTER: Statement = {
  name: "event.after",
  text: `select e.aggregate_id, e.version, e.event_type, e.payload
from unnest($1::text[], $2::int[]) as asked (aggregate_id, version)
cross join lateral (
  select o.aggregate_id, o.version, o.event_type, o.payload from outbox o
  where o.aggregate_id = asked.aggregate_id and o.version > asked.version order by o.version limit $3) e
order by e.aggregate_id, e.version`,
};

export const VERSIONS: Statement = {
  name: "job.versions",
  text: `select j.id, j.version, j.status from unnest($1::uuid[]) as asked (id)
cross join lateral (select id, version, status from job where job.id = asked.id) j`,
};
