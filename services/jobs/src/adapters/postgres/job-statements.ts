// Writing and locking of jobs. Times go in as epoch milliseconds. `job` and `attempt` are reached by their
// primary keys only; each of the narrow tables likewise, unless a comment names another index.
import { jsonTexts } from "@orrery/mesh/postgres/json-sequence";
import type { Statement } from "@orrery/mesh/postgres/pool";

/** The columns of a job that the rules need: all but input, output and who submitted it. */
export const JOB_COLUMNS = `id, project, task, queue, status, version, priority, attempt, max_attempts,
  attempts_submitted, released, failures, timeout_ms, retry_initial_ms, retry_factor, retry_max_ms,
  retry_jitter, create_time, run_time, start_time, end_time, expire_time, cancel_request_time, labels,
  concurrency_key, correlation_id, traceparent, mission_id, step, reason, error_type, error_message,
  error_retryable`;

/** What of a job that waits its grant is decided by, and its worker is told: ready.* reads 500 of them at a time. */
export const READY_STATE_COLUMNS = `id, project, task, queue, version, priority, attempt, max_attempts, timeout_ms,
  create_time, run_time, expire_time, labels, correlation_id, traceparent, error_type, error_message, error_retryable,
  input`;

const LEASE_COLUMNS = `l.epoch as lease_epoch, l.worker as lease_worker, l.principal as lease_principal,
  l.start_time as lease_start, l.expire_time as lease_expire, l.timeout_time as lease_timeout`;

/** The database's clock, in epoch milliseconds. */
export const NOW_MS = "(extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms";

/** New jobs, with the row that makes each of them ready or due, and the one that makes it expire. */
export const INSERT_JOBS: Statement = {
  name: "job.insert",
  text: `with given as (
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::int[],
    $8::float8[], $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::float8[], $14::float8[],
    $15::float8[], ${jsonTexts("$16")}, $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[],
    ${jsonTexts("$23")})
  as g (id, project, task, queue, status, priority, max_attempts, timeout_ms, retry_initial_ms, retry_factor,
    retry_max_ms, retry_jitter, create_ms, run_ms, expire_ms, labels, concurrency_key, correlation_id, traceparent,
    principal, mission_id, step, input)
), written as (
  insert into job (id, project, task, queue, status, version, priority, attempt, max_attempts, attempts_submitted,
    released, failures, timeout_ms, retry_initial_ms, retry_factor, retry_max_ms, retry_jitter, create_time, run_time,
    expire_time, labels, concurrency_key, correlation_id, traceparent, principal, mission_id, step, reason, input)
  select id, project, task, queue, status, 1, priority, 0, max_attempts, max_attempts, 0, 0, timeout_ms,
    retry_initial_ms, retry_factor, retry_max_ms, retry_jitter, to_timestamp(create_ms / 1000),
    to_timestamp(run_ms / 1000), to_timestamp(expire_ms / 1000), labels::json, concurrency_key, correlation_id,
    traceparent, principal, mission_id, step, '', input
  from given
), ready as (
  insert into job_ready (project, queue, task, rank, run_time, id, concurrency_key, input_bytes)
  select project, queue, task, 9 - priority, to_timestamp(run_ms / 1000), id, concurrency_key,
    coalesce(octet_length(input), 0)
  from given where status = 'QUEUED'
), due as (
  insert into job_due (id, project, queue, status, due_time)
  select id, project, queue, status, to_timestamp(run_ms / 1000) from given where status = 'SCHEDULED'
)
insert into job_expiry (id, expire_time)
select id, to_timestamp(expire_ms / 1000) from given where expire_ms is not null`,
};

/**
 * Locks jobs in the order given, which is that of their ids, so that two callers never wait for each other in
 * a ring.
 */
export const LOCK_JOBS: Statement = {
  name: "job.lock",
  text: `select j.*, ${LEASE_COLUMNS}, ${NOW_MS}
from unnest($1::uuid[]) as asked (id)
cross join lateral (select ${JOB_COLUMNS} from job where job.id = asked.id for update) j
left join lateral (select * from lease where lease.job_id = asked.id) l on true`,
};

/**
 * As job.lock, leaving out what somebody else has locked; the lease is locked as well, because a heartbeat
 * that came in meanwhile counts.
 */
export const LOCK_FREE_JOBS: Statement = {
  name: "job.lock_free",
  text: `select j.*, ${LEASE_COLUMNS}, ${NOW_MS}
from unnest($1::uuid[]) as asked (id)
cross join lateral (select ${JOB_COLUMNS} from job where job.id = asked.id for update skip locked) j
left join lateral (select * from lease where lease.job_id = asked.id for update) l on true`,
};

export const ATTEMPTS_AT: Statement = {
  name: "attempt.at",
  text: `select a.job_id, a.attempt, a.status, a.worker, a.principal, a.start_time, a.end_time, a.error_type,
  a.error_message, a.error_retryable, a.digest
from unnest($1::uuid[], $2::int[]) as asked (job_id, attempt)
cross join lateral (select * from attempt where attempt.job_id = asked.job_id and attempt.attempt = asked.attempt) a`,
};

/**
 * Transitions of locked jobs, grants aside: the job, the attempt that ended, and whatever the job's old and
 * new status take from and add to the narrow tables. Gives one row for each job that was at the version
 * before.
 */
export const SAVE_JOBS: Statement = {
  name: "job.save",
  text: `with change as (
  select * from unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[], $8::float8[],
    $9::float8[], $10::float8[], $11::float8[], $12::float8[], $13::text[], $14::text[], $15::text[], $16::boolean[],
    $17::text[], $18::text[], $19::float8[], $20::text[], $21::text[], $22::boolean[], $23::text[])
  as c (id, was, status, version, max_attempts, released, failures, run_ms, start_ms, end_ms, expire_ms, cancel_ms,
    reason, error_type, error_message, error_retryable, output, attempt_status, attempt_end_ms,
    attempt_error_type, attempt_error_message, attempt_error_retryable, digest)
), changed as (
  update job set status = c.status, version = c.version, max_attempts = c.max_attempts, released = c.released,
    failures = c.failures, run_time = to_timestamp(c.run_ms / 1000), start_time = to_timestamp(c.start_ms / 1000),
    end_time = to_timestamp(c.end_ms / 1000), expire_time = to_timestamp(c.expire_ms / 1000),
    cancel_request_time = to_timestamp(c.cancel_ms / 1000), reason = c.reason, error_type = c.error_type,
    error_message = c.error_message, error_retryable = c.error_retryable, output = coalesce(c.output, job.output)
  from change c where job.id = c.id and job.version = c.version - 1
  returning job.id, job.project, job.queue, job.task, job.priority, job.run_time, job.concurrency_key, job.status,
    job.expire_time, c.was, coalesce(octet_length(job.input), 0) as input_bytes
), freed as (
  delete from lease using change c where lease.job_id = c.id and c.was = 'RUNNING' and c.status <> 'RUNNING'
  returning lease.job_id, lease.epoch, lease.project, lease.worker, lease.principal, lease.start_time, c.attempt_status,
    c.attempt_end_ms, c.attempt_error_type, c.attempt_error_message, c.attempt_error_retryable, c.digest
), ended as (
  insert into attempt (job_id, attempt, project, status, worker, principal, start_time, end_time, error_type,
    error_message, error_retryable, digest)
  select job_id, epoch, project, attempt_status, worker, principal, start_time, to_timestamp(attempt_end_ms / 1000),
    attempt_error_type, attempt_error_message, attempt_error_retryable, digest from freed
), asked as (
  update lease set cancel_time = to_timestamp(c.cancel_ms / 1000)
  from change c where lease.job_id = c.id and c.status = 'RUNNING'
), unready as (
  delete from job_ready r using changed c where c.was = 'QUEUED' and r.project = c.project and r.queue = c.queue
    and r.task = c.task and r.rank = 9 - c.priority and r.run_time = c.run_time and r.id = c.id
), undue as (
  delete from job_due d using change c where d.id = c.id and c.was in ('SCHEDULED', 'RETRYING')
), unexpiring as (
  delete from job_expiry e using changed c where e.id = c.id and c.expire_time is not null
    and c.status in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED')
), expiring as (
  insert into job_expiry (id, expire_time)
  select id, expire_time from changed
  where expire_time is not null and status = 'QUEUED' and was in ('FAILED', 'CANCELLED', 'EXPIRED')
), ready as (
  insert into job_ready (project, queue, task, rank, run_time, id, concurrency_key, input_bytes)
  select project, queue, task, 9 - priority, run_time, id, concurrency_key, input_bytes
  from changed where status = 'QUEUED'
), due as (
  insert into job_due (id, project, queue, status, due_time)
  select id, project, queue, status, run_time from changed where status = 'RETRYING'
)
select id from changed`,
};

/**
 * Grants: the jobs run, their leases begin, which are their attempts, and they are no longer ready. Nobody waits for
 * its answer, so it divides by zero itself where a job was not at the version before (I8).
 */
export const SAVE_GRANTS: Statement = {
  name: "job.save_grants",
  text: `with given as (
  select * from unnest($1::uuid[], $2::int[], $3::int[], $4::float8[], $5::text[], $6::text[], $7::text[], $8::float8[])
  as g (id, version, attempt, start_ms, worker, principal, request_id, expire_ms)
), started as (
  update job set status = 'RUNNING', version = g.version, attempt = g.attempt,
    start_time = to_timestamp(g.start_ms / 1000)
  from given g where job.id = g.id and job.version = g.version - 1
  returning job.id, job.project, job.queue, job.task, job.priority, job.run_time, job.concurrency_key, job.timeout_ms,
    job.start_time, g.attempt, g.worker, g.principal, g.request_id, g.expire_ms
), taken as (
  delete from job_ready r using started s where r.project = s.project and r.queue = s.queue and r.task = s.task
    and r.rank = 9 - s.priority and r.run_time = s.run_time and r.id = s.id
), leased as (
  insert into lease (job_id, epoch, project, queue, concurrency_key, worker, principal, request_id, start_time,
    expire_time, timeout_time)
  select id, attempt, project, queue, concurrency_key, worker, principal, request_id, start_time,
    to_timestamp(expire_ms / 1000), start_time + timeout_ms * interval '1 millisecond' from started
)
select 1 / (count(*) = cardinality($1))::int as granted from started`,
};

/**
 * Successes, of which there are by far the most: lock, decide and save in one statement. The guard is the domain's:
 * the attempt of that number runs (then its lease is open), for that principal, in a project that it may speak for.
 * Of two words about one job only one may be given.
 *
 * The order of the joins is fixed: a plan kept from a time with few leases would begin with those, and later go through
 * every dead one for each word (measured: 5 s for a batch, once 40,000 had ended within a minute).
 */
export const SUCCEED: Statement = {
  name: "job.succeed",
  text: `with said as (
  select * from unnest($1::uuid[], $2::int[], ${jsonTexts("$3")}, $4::text[], $5::text[], $6::text[])
  as s (id, epoch, output, digest, principal, project)
), now as materialized (
  select date_trunc('milliseconds', clock_timestamp()) as time
), held as materialized (
  select s.*, l.worker, l.start_time from said s cross join lateral (
    select worker, start_time from lease
    where lease.job_id = s.id and lease.epoch = s.epoch and lease.principal = s.principal offset 0) l
), changed as (
  update job set status = 'SUCCEEDED', version = job.version + 1, end_time = greatest(now.time, h.start_time),
    error_type = null, error_message = null, error_retryable = null, output = h.output
  from held h cross join now
  where job.id = h.id and job.status = 'RUNNING' and job.attempt = h.epoch
    and (h.project is null or job.project = h.project)
  returning job.id, job.project, job.task, job.version, job.attempt, job.max_attempts, job.run_time, job.end_time,
    job.expire_time, job.cancel_request_time, h.worker, h.principal, h.start_time, h.digest
), freed as (
  delete from lease where job_id = any (array(select id from changed))
), ended as (
  insert into attempt (job_id, attempt, project, status, worker, principal, start_time, end_time, digest)
  select id, attempt, project, 'SUCCEEDED', worker, principal, start_time, end_time, digest from changed
), unexpiring as (
  delete from job_expiry where id = any (array(select id from changed where expire_time is not null))
)
select id, project, task, version, attempt, max_attempts, run_time, end_time, expire_time, cancel_request_time, worker,
  start_time
from changed`,
};
