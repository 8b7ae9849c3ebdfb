// The jobs of missions, and what is to be done about them. Rows are reached by their primary key unless a comment names
// another index, and locked in the order of their ids.
import { jsonTexts } from "@orrery/mesh/postgres/json-sequence";
import type { Statement } from "@orrery/mesh/postgres/pool";

export const INSERT_STEP_JOBS: Statement = {
  name: "step_job.insert",
  text: `insert into step_job (job_id, mission_id, project, step, role, errand, task, queue, input, timeout_ms,
  max_attempts, due_time)
select job_id, mission_id, project, step, role, 'SUBMIT', task, queue, input, timeout_ms, max_attempts,
  clock_timestamp()
from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], ${jsonTexts("$8")},
  $9::bigint[], $10::int[])
  as v (job_id, mission_id, project, step, role, task, queue, input, timeout_ms, max_attempts)`,
};

/** A job that is still to be submitted, or retried, is cancelled right after that. */
export const CANCEL_STEP_JOBS: Statement = {
  name: "step_job.cancel",
  text: `with locked as (
  select job_id from step_job where job_id = any($1::uuid[]) and open order by job_id for update)
update step_job j set cancel = true, errand = coalesce(j.errand, 'CANCEL'), due_time = clock_timestamp()
from locked where j.job_id = locked.job_id`,
};

/** One that the jobs service never took is submitted. */
export const RETRY_STEP_JOBS: Statement = {
  name: "step_job.retry",
  text: `with locked as (
  select job_id from step_job where job_id = any($1::uuid[]) order by job_id for update)
update step_job j set open = true, cancel = false, errand = case when j.accepted then 'RETRY' else 'SUBMIT' end,
  due_time = clock_timestamp()
from locked where j.job_id = locked.job_id`,
};

/** Served by step_job_due. */
export const TAKE_ERRANDS: Statement = {
  name: "step_job.take",
  text: `with due as (
  select job_id from step_job where due_time <= clock_timestamp() order by due_time limit $1 for update skip locked)
update step_job j set due_time = clock_timestamp() + $2::float8 * interval '1 millisecond'
from due, mission m
where j.job_id = due.job_id and m.id = j.mission_id
returning j.job_id, j.mission_id, j.step, j.role, j.errand, j.seen_version, j.task, j.queue, j.input, j.timeout_ms,
  j.max_attempts, j.project, m.principal, m.correlation_id, m.traceparent`,
};

/** What was decided meanwhile stands: an end that came, a cancellation, another retry. */
export const ERRANDS_DONE: Statement = {
  name: "step_job.done",
  text: `with locked as (
  select job_id from step_job where job_id = any($1::uuid[]) order by job_id for update)
update step_job j set
  errand = case when j.cancel and d.kind in ('SUBMIT', 'RETRY') then 'CANCEL' end,
  accepted = j.accepted or d.kind = 'SUBMIT',
  input = case when d.kind = 'SUBMIT' then null else j.input end,
  due_time = clock_timestamp() + case when j.cancel and d.kind in ('SUBMIT', 'RETRY') then interval '0'
    else $4::float8 * interval '1 millisecond' end
from locked, unnest($1::uuid[], $2::text[], $3::int[]) as d (job_id, kind, seen_version)
where j.job_id = locked.job_id and d.job_id = j.job_id and j.open and j.seen_version = d.seen_version
  and coalesce(j.errand, 'LOOK') = d.kind`,
};

export const GIVE_BACK_ERRANDS: Statement = {
  name: "step_job.give_back",
  text: `with locked as (
  select job_id from step_job where job_id = any($1::uuid[]) and open order by job_id for update)
update step_job j set due_time = clock_timestamp() + $2::float8 * interval '1 millisecond'
from locked where j.job_id = locked.job_id`,
};

/** Whoever tells of a job proves that the jobs service has it: a submission whose answer is on its way is done. */
export const LOOK_AT_JOBS: Statement = {
  name: "step_job.look",
  text: `with locked as (
  select job_id from step_job where job_id = any($1::uuid[]) and open order by job_id for update)
update step_job j set accepted = true, input = null, due_time = clock_timestamp(),
  errand = case when j.errand = 'SUBMIT' and not j.cancel then null when j.errand = 'SUBMIT' then 'CANCEL'
    else j.errand end
from locked where j.job_id = locked.job_id`,
};

export const AWAITED_JOBS: Statement = {
  name: "step_job.awaited",
  text: `select j.job_id, j.mission_id, j.seen_version, m.value_bytes
from step_job j join mission m on m.id = j.mission_id where j.job_id = any($1::uuid[]) and j.open`,
};

/** An end of version 0 is a refusal: the jobs service never took the job, and its input is kept for a retry. */
export const CLOSE_STEP_JOBS: Statement = {
  name: "step_job.close",
  text: `with locked as (
  select job_id from step_job where job_id = any($1::uuid[]) order by job_id for update)
update step_job j set open = false, errand = null, due_time = null, cancel = false,
  seen_version = greatest(j.seen_version, e.version), accepted = j.accepted or e.version > 0,
  input = case when e.version > 0 then null else j.input end
from locked, unnest($1::uuid[], $2::int[]) as e (job_id, version)
where j.job_id = locked.job_id and e.job_id = j.job_id`,
};
