// Finding what can be granted. A lease looks into one range of job_ready for each (project, queue, task) that
// it serves and that was ever submitted (queue_task), each already in order by the primary key.
import type { Statement } from "@orrery/mesh/postgres/pool";
import { NOW_MS, READY_STATE_COLUMNS } from "./job-statements.ts";

const READY_COLUMNS = `r.id, r.project, r.queue, r.rank, r.run_time, r.concurrency_key, r.input_bytes`;

/**
 * Unlimited queues: finds, orders, cuts by bytes of input and locks in one statement. It waits for no lock, so the time
 * of its beginning is that of its grants; a reading of the clock for each row would cost as much as two columns.
 */
export const READY_UNLIMITED: Statement = {
  name: "ready.unlimited",
  text: `with probe as materialized (
  select t.project, t.queue, t.task from queue_task t join queue q on q.project = t.project and q.name = t.queue
  where t.task = any($1::text[]) and ($2::text is null or t.project = $2)
    and (cardinality($3::text[]) = 0 or t.queue = any($3)) and not q.paused and not q.limited
), first as materialized (
  select r.* from probe p cross join lateral (
    select ${READY_COLUMNS} from job_ready r
    where r.project = p.project and r.queue = p.queue and r.task = p.task
    order by r.rank, r.run_time, r.id limit $4 for update skip locked) r
  order by r.rank, r.run_time, r.id limit $4
), sized as (
  select id, rank, run_time, input_bytes, sum(input_bytes) over (order by rank, run_time, id) as bytes_so_far from first
)
select j.*, s.input_bytes, n.now_ms
from (select ${NOW_MS}) n cross join (
  select * from sized where bytes_so_far <= $5 or bytes_so_far = input_bytes order by rank, run_time, id) s
cross join lateral (
  select ${READY_STATE_COLUMNS} from job where job.id = s.id and job.status = 'QUEUED' for update skip locked) j`,
};

/**
 * Queues with limits that have something ready: whoever holds the row may count and grant. Any 100 of them, because
 * whether one has room is known only after counting: in a fixed order 100 full ones would hide all others for good.
 * No grant waits for these locks, and whoever else takes one (queue.change) takes no other: nothing can deadlock,
 * whatever their order.
 */
export const LOCK_LIMITED_QUEUES: Statement = {
  name: "ready.lock_limited_queues",
  text: `select q.project, q.name, q.concurrency, q.concurrency_per_key, q.rate_limit, q.rate_period_ms
from queue q
where q.limited and not q.paused and ($2::text is null or q.project = $2)
  and (cardinality($3::text[]) = 0 or q.name = any($3))
  and exists (
    select 1 from queue_task t cross join lateral (
      select 1 from job_ready r where r.project = t.project and r.queue = t.queue and r.task = t.task limit 1) ready
    where t.project = q.project and t.queue = q.name and t.task = any($1::text[]))
order by random() limit 100 for update of q skip locked`,
};

/** Served by lease_queue. */
export const COUNT_RUNNING: Statement = {
  name: "ready.count_running",
  text: `select l.project, l.queue, l.concurrency_key, count(*)::int as running
from unnest($1::text[], $2::text[]) as asked (project, queue)
join lease l on l.project = asked.project and l.queue = asked.queue
group by l.project, l.queue, l.concurrency_key`,
};

/** Served by queue_start_time. */
export const COUNT_STARTS: Statement = {
  name: "ready.count_starts",
  text: `select s.project, s.queue, sum(s.starts)::int as starts
from unnest($1::text[], $2::text[], $3::int[]) as asked (project, queue, period_ms)
join queue_start s on s.project = asked.project and s.queue = asked.queue
  and s.start_time > clock_timestamp() - asked.period_ms * interval '1 millisecond'
group by s.project, s.queue`,
};

/** The starts of a queue, and what of them no longer counts taken away. */
export const NOTE_STARTS: Statement = {
  name: "ready.note_starts",
  text: `with given as (
  select * from unnest($1::text[], $2::text[], $3::int[], $4::float8[]) as g (project, queue, starts, at_ms)
), past as (
  delete from queue_start s using given g, queue q
  where s.project = g.project and s.queue = g.queue and q.project = g.project and q.name = g.queue
    and s.start_time < clock_timestamp() - (q.rate_period_ms + 60000) * interval '1 millisecond'
)
insert into queue_start (project, queue, start_time, starts)
select project, queue, to_timestamp(at_ms / 1000), starts from given`,
};

/** What queues with limits could start: each queue's own number of candidates, none of a key that is full. */
export const CANDIDATES: Statement = {
  name: "ready.candidates",
  text: `with asked as materialized (
  select * from unnest($2::text[], $3::text[], $4::int[]) as a (project, queue, room)
), full_key as materialized (
  select * from unnest($5::text[], $6::text[], $7::text[]) as f (project, queue, key)
)
select r.* from asked a
join queue_task t on t.project = a.project and t.queue = a.queue and t.task = any($1::text[])
cross join lateral (
  select ${READY_COLUMNS} from job_ready r
  where r.project = t.project and r.queue = t.queue and r.task = t.task
    and not exists (select 1 from full_key f
                    where f.project = r.project and f.queue = r.queue and f.key = r.concurrency_key)
  order by r.rank, r.run_time, r.id limit a.room) r
order by r.rank, r.run_time, r.id`,
};

/**
 * Locks chosen candidates, in the order given: first what makes them ready, so that no two callers take one.
 */
export const READY_BY_ID: Statement = {
  name: "ready.by_id",
  text: `select j.*, coalesce(octet_length(j.input), 0) as input_bytes, ${NOW_MS}
from unnest($1::uuid[]) as asked (id)
cross join lateral (
  select ${READY_STATE_COLUMNS} from job where job.id = asked.id and job.status = 'QUEUED' for update skip locked) j`,
};

/** Serves one request id at a time; the lock goes with the transaction. */
export const HOLD_REQUEST: Statement = {
  name: "ready.hold_request",
  text: "select pg_advisory_xact_lock(hashtextextended($1, 7))",
};

/** Served by lease_request. */
export const LEASED_BEFORE: Statement = {
  name: "ready.leased_before",
  text: `select j.*, l.expire_time as lease_expire_time
from lease l cross join lateral (select ${READY_STATE_COLUMNS} from job where job.id = l.job_id) j
where l.principal = $1 and l.request_id = $2 and ($3::text is null or l.project = $3)
  and l.request_id <> '' and l.expire_time > clock_timestamp()
order by j.priority desc, j.run_time, j.id`,
};

export const ANY_LIMITED_QUEUE: Statement = {
  name: "ready.any_limited_queue",
  text: "select exists (select 1 from queue where limited and not paused) as found",
};

/** Served by job_due_time. */
export const DUE_PROMOTIONS: Statement = {
  name: "due.promotions",
  text: "select id from job_due where due_time <= clock_timestamp() order by due_time, id limit $1",
};

/** Served by job_expiry_time. */
export const DUE_EXPIRIES: Statement = {
  name: "due.expiries",
  text: "select id from job_expiry where expire_time <= clock_timestamp() order by expire_time limit $1",
};

/**
 * Open leases are few (as many as run at once); no index is kept for their times, so that heartbeats stay
 * cheap.
 */
export const DUE_ATTEMPTS: Statement = {
  name: "due.attempts",
  text: `select job_id as id from lease
where expire_time <= clock_timestamp() or timeout_time <= clock_timestamp()
  or cancel_time <= clock_timestamp() - $2::int * interval '1 millisecond'
limit $1`,
};

export const NEXT_DUE: Statement = {
  name: "due.next",
  text: `select (extract(epoch from least(
    (select min(due_time) from job_due), (select min(expire_time) from job_expiry)) - clock_timestamp()) * 1000)::float8
  as in_ms`,
};
