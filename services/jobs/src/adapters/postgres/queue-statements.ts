import type { Statement } from "@orrery/mesh/postgres/pool";

export const REGISTER_QUEUES: Statement = {
  name: "queue.register",
  text: `with asked as (
  select * from unnest($1::text[], $2::text[], $3::text[]) as a (project, queue, task)
), queues as (
  insert into queue (project, name) select distinct project, queue from asked order by 1, 2
  on conflict do nothing
)
insert into queue_task (task, project, queue) select distinct task, project, queue from asked order by 1, 2, 3
on conflict do nothing`,
};

/** New pairs beyond a project's limit. What two transactions bring at once may go over it by as much. */
export const PAIRS_WITHOUT_ROOM: Statement = {
  name: "queue.without_room",
  text: `with brought as (
  select a.*, row_number() over (partition by a.project order by a.ord) as place
  from unnest($1::text[], $2::text[], $3::text[]) with ordinality as a (project, queue, task, ord)
  where not exists (
    select from queue_task t where t.task = a.task and t.project = a.project and t.queue = a.queue)
), held as (
  select p.project, (select count(*) from queue_task t where t.project = p.project) as pairs
  from (select distinct project from brought) p
)
select b.project, b.queue, b.task from brought b join held h on h.project = b.project
where h.pairs + b.place > $4::int`,
};

/** Absent values leave what is there. */
export const CHANGE_QUEUE: Statement = {
  name: "queue.change",
  text: `insert into queue as q (project, name, paused, concurrency, concurrency_per_key, rate_limit, rate_period_ms)
values ($1, $2, coalesce($3::boolean, false), coalesce($4::int, 0), coalesce($5::int, 0), coalesce($6::int, 0),
  coalesce($7::int, 1000))
on conflict (project, name) do update set paused = coalesce($3, q.paused), concurrency = coalesce($4, q.concurrency),
  concurrency_per_key = coalesce($5, q.concurrency_per_key), rate_limit = coalesce($6, q.rate_limit),
  rate_period_ms = coalesce($7, q.rate_period_ms)`,
};

/**
 * Queues with what is in them, counted where it is: ready jobs, jobs that wait for their time, open leases.
 * All of a project's queues, or one.
 */
export const READ_QUEUES: Statement = {
  name: "queue.read",
  text: `with ready as (
  select queue, count(*)::int as jobs, min(run_time) as oldest from job_ready
  where project = $1 and ($2::text is null or queue = $2) group by queue
), due as (
  select queue, count(*) filter (where status = 'SCHEDULED')::int as scheduled,
    count(*) filter (where status = 'RETRYING')::int as retrying
  from job_due where project = $1 and ($2::text is null or queue = $2) group by queue
), running as (
  select queue, count(*)::int as jobs from lease where project = $1 and ($2::text is null or queue = $2) group by queue
)
select q.name, q.paused, q.concurrency, q.concurrency_per_key, q.rate_limit, q.rate_period_ms,
  coalesce(due.scheduled, 0) as scheduled, coalesce(ready.jobs, 0) as queued, coalesce(running.jobs, 0) as running,
  coalesce(due.retrying, 0) as retrying,
  coalesce(greatest(0, extract(epoch from clock_timestamp() - ready.oldest)), 0)::float8 as oldest_seconds
from queue q left join ready on ready.queue = q.name left join due on due.queue = q.name
  left join running on running.queue = q.name
where q.project = $1 and ($2::text is null or q.name = $2)
order by q.name`,
};

export const QUEUE_DEPTHS: Statement = {
  name: "queue.depths",
  text: `select queue, 'QUEUED' as status, count(*)::int as jobs,
  greatest(0, extract(epoch from clock_timestamp() - min(run_time)))::float8 as oldest_seconds
from job_ready group by queue
union all
select queue, status, count(*)::int, 0 from job_due group by queue, status
union all
select queue, 'RUNNING', count(*)::int, 0 from lease group by queue`,
};
