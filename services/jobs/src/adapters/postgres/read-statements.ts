import type { Statement } from "@orrery/mesh/postgres/pool";
import { RESERVED } from "../../domain/job.ts";
import { JOB_COLUMNS } from "./job-statements.ts";
import { SEEN_LATELY } from "./worker-statements.ts";

export const READ_JOB: Statement = {
  name: "job.read",
  text: `select ${JOB_COLUMNS}, input, output from job where id = $1 and project = $2`,
};

/** The attempts that ended, and the one that runs. */
export const READ_ATTEMPTS: Statement = {
  name: "attempt.read",
  text: `select job_id, attempt, status, worker, principal, start_time, end_time, error_type, error_message,
  error_retryable, digest
from attempt where job_id = $1 and project = $2
union all
select job_id, epoch, 'RUNNING', worker, principal, start_time, null, null, null, null, ''
from lease where job_id = $1 and project = $2
order by attempt`,
};

const TAKES_JOBS = `not w.draining and ${SEEN_LATELY}`;
const TAKES_JOBS_OF_QUEUE = `w.project in (q.project, '') and ${TAKES_JOBS}
     and (cardinality(w.queues) = 0 or q.name = any(w.queues))`;

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
  (select count(*)::int from worker w where ${TAKES_JOBS_OF_QUEUE} and $3 = any(w.tasks)) as workers,
  array(select distinct served.task from worker w cross join unnest(w.tasks) as served (task)
    where $3 like '${RESERVED}%' and served.task like '${RESERVED}%' and w.project = '' and ${TAKES_JOBS}
    order by served.task) as built_in,
  (select count(*)::int from (
     select 1 from queue_task t cross join lateral (
       select 1 from job_ready r where r.project = t.project and r.queue = t.queue and r.task = t.task
         and (r.rank, r.run_time, r.id) < ($4::smallint, to_timestamp($5::float8 / 1000), $6::uuid) limit 999) ahead
     where t.project = q.project and t.queue = q.name and (t.task = $3 or exists (
       select from worker w where ${TAKES_JOBS_OF_QUEUE} and array[$3, t.task] <@ w.tasks)) limit 999) counted)
    + 1 as position
from queue q where q.project = $1 and q.name = $2`,
};

/** Served by the outbox's primary key in each of its days. */
export const EVENTS_AFTER: Statement = {
  name: "event.after",
  text: `select e.id, e.aggregate_id, e.version, e.event_type, e.payload, e.occurred_at
from unnest($1::uuid[], $2::int[]) as asked (aggregate_id, version)
cross join lateral (
  select o.id, o.aggregate_id, o.version, o.event_type, o.payload, o.occurred_at from outbox o
  where o.aggregate_id = asked.aggregate_id and o.version > asked.version order by o.version limit $3) e
order by e.aggregate_id, e.version`,
};

/**
 * What an event tells besides what it stores: the terms of its job, and the input or output where the event carries
 * one that is small enough. Values: the job of each event, whether it is told of the input, of the output, and the
 * limit in bytes.
 */
export const EVENT_TERMS: Statement = {
  name: "event.terms",
  text: `select asked.ord::int as ord, j.*
from unnest($1::uuid[], $2::boolean[], $3::boolean[]) with ordinality as asked (id, first, last, ord)
cross join lateral (
  select id, project, task, queue, priority, timeout_ms, retry_initial_ms, retry_factor, retry_max_ms, retry_jitter,
    create_time, labels, concurrency_key, correlation_id, traceparent, mission_id, step,
    case when asked.first and octet_length(input) <= $4 then input end as input,
    case when asked.last and octet_length(output) <= $4 then output end as output
  from job where job.id = asked.id) j`,
};

export const VERSIONS: Statement = {
  name: "job.versions",
  text: `select j.id, j.version, j.status from unnest($1::uuid[]) as asked (id)
cross join lateral (select id, version, status from job where job.id = asked.id) j`,
};
