import type { Statement } from "@orrery/mesh/postgres/pool";

/**
 * Moves the end of leases that their holder names with the right epoch; one row for each that was prolonged.
 */
export const PROLONG: Statement = {
  name: "lease.prolong",
  text: `update lease set expire_time = clock_timestamp() + $5::int * interval '1 millisecond'
from unnest($1::uuid[], $2::int[], $3::text[], $4::text[]) as asked (job_id, epoch, principal, project)
where lease.job_id = asked.job_id and lease.epoch = asked.epoch and lease.principal = asked.principal
  and (asked.project is null or lease.project = asked.project)
returning lease.job_id, lease.epoch, lease.principal, lease.project, lease.expire_time,
  lease.cancel_time is not null as cancel_requested`,
};

/** Why leases could not be prolonged. */
export const LEASE_HOLDERS: Statement = {
  name: "lease.holders",
  text: `select j.id, j.project, l.epoch, l.principal from unnest($1::uuid[]) as asked (job_id)
cross join lateral (select id, project from job where job.id = asked.job_id) j
left join lateral (select epoch, principal from lease where lease.job_id = asked.job_id) l on true`,
};

export const CANCEL_REQUESTED: Statement = {
  name: "lease.cancel_requested",
  text: "select job_id, epoch from lease where cancel_time is not null",
};
