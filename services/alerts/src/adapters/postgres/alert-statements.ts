import type { Statement } from "@orrery/mesh/postgres/pool";

/** In whole milliseconds: what is decided by it travels in protobuf times. */
const NOW_MS = "floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms";

/** Lets one hearer in at a time, until its transaction ends. The number is ours alone in this database. */
export const LOCK_HEARING: Statement = {
  name: "alert.lock_hearing",
  text: "select pg_advisory_xact_lock(4600431)",
};

/** What is open of some fingerprints, locked. Served by alert_open. */
export const LOCK_OPEN: Statement = {
  name: "alert.lock_open",
  text: `select * from alert where fingerprint = any($1::text[]) and status <> 'RESOLVED' order by id for update`,
};

/** Which of some occurrences are known, and the time. Served by alert_occurrence. */
export const KNOWN_STARTS: Statement = {
  name: "alert.known_starts",
  text: `select a.fingerprint, a.start_time, ${NOW_MS}
from unnest($1::text[], $2::float8[]) as told (fingerprint, start_ms)
left join alert a on a.fingerprint = told.fingerprint and a.start_time = to_timestamp(told.start_ms / 1000)`,
};

/** Served by the primary key. The time is read when the lock is had. */
export const LOCK_ONE: Statement = {
  name: "alert.lock_one",
  text: `with held as materialized (select * from alert where id = $1 for update) select held.*, ${NOW_MS} from held`,
};

/** Served by alert_mute. */
export const LOCK_MUTE_ENDED: Statement = {
  name: "alert.lock_mute_ended",
  text: `with held as materialized (
  select * from alert where mute_until_time <= clock_timestamp() order by mute_until_time limit $1
  for update skip locked
) select held.*, ${NOW_MS} from held order by id`,
};

/** Served by alert_active. */
export const LOCK_OPEN_EXCEPT: Statement = {
  name: "alert.lock_open_except",
  text: `with held as materialized (
  select * from alert where status <> 'RESOLVED' and fingerprint <> all ($1::text[])
    and create_time < clock_timestamp() - $2::float8 * interval '1 ms'
  order by id limit 1000 for update skip locked
) select held.*, ${NOW_MS} from held order by id`,
};

/** Times come as epoch milliseconds; those of Alertmanager are cut to whole ones. */
const TIMES = `to_timestamp(start_ms / 1000) as start_time, to_timestamp(end_ms / 1000) as end_time,
  to_timestamp(acknowledge_ms / 1000) as acknowledge_time, to_timestamp(mute_until_ms / 1000) as mute_until_time`;

/** Writes new alerts from a JSON array of `AlertColumns`. */
export const INSERT_ALERTS: Statement = {
  name: "alert.insert",
  text: `insert into alert (id, fingerprint, name, severity, summary, description, runbook, labels, correlation_id,
  traceparent, status, version, note, acknowledged_by, muted_by, start_time, end_time, acknowledge_time,
  mute_until_time)
select id, fingerprint, name, severity, summary, description, runbook, labels, correlation_id, traceparent, status,
  version, note, acknowledged_by, muted_by, ${TIMES}
from json_to_recordset($1::json) as told (id uuid, fingerprint text, name text, severity text, summary text,
  description text, runbook text, labels json, correlation_id text, traceparent text, status text, version int,
  note text, acknowledged_by text, muted_by text, start_ms float8, end_ms float8, acknowledge_ms float8,
  mute_until_ms float8)`,
};

/** Writes what changes of alerts, each from the version that was locked, and says which were at it. */
export const UPDATE_ALERTS: Statement = {
  name: "alert.update",
  text: `update alert a set status = told.status, version = told.version, note = told.note,
  acknowledged_by = told.acknowledged_by, muted_by = told.muted_by, end_time = told.end_time,
  acknowledge_time = told.acknowledge_time, mute_until_time = told.mute_until_time
from (select *, ${TIMES}
  from json_to_recordset($1::json) as columns (id uuid, version_before int, status text, version int, note text,
    acknowledged_by text, muted_by text, start_ms float8, end_ms float8, acknowledge_ms float8, mute_until_ms float8)
) told
where a.id = told.id and a.version = told.version_before
returning a.id`,
};

export const RECORD_ACT: Statement = {
  name: "alert_act.insert",
  text: `insert into alert_act (alert_id, version, action, principal, project, note, correlation_id, act_time)
values ($1, $2, $3, $4, $5, $6, $7, to_timestamp($8::float8 / 1000))`,
};

/** Served by alert_active, which holds what is not resolved. */
export const COUNT_ACTIVE: Statement = {
  name: "alert.count_active",
  text: "select severity, count(*)::int as alerts from alert where status <> 'RESOLVED' group by severity",
};

/** Served by alert_end. Who did what stays on record. */
export const FORGET_OLD: Statement = {
  name: "alert.forget_old",
  text: `delete from alert where id in (
  select id from alert where end_time < clock_timestamp() - interval '90 days' order by end_time limit 1000)
returning id`,
};
