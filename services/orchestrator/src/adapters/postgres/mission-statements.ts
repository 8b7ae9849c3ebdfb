// Missions and their steps. Times go in as epoch milliseconds. Missions are reached by their primary key, and so are
// their steps, unless a comment names another index.
import { jsonTexts } from "@orrery/mesh/postgres/json-sequence";
import type { Statement } from "@orrery/mesh/postgres/pool";

/** The columns of a mission that a reader is told of. */
const TERMS = `m.id, m.project, m.name, m.status, m.version, m.direction, m.shape, m.labels, m.principal,
  m.correlation_id, m.traceparent, m.create_time, m.start_time, m.end_time, m.cancel_request_time, m.cause,
  m.attention`;
const WHOLE = `${TERMS}, m.input, m.step_inputs`;

/** The database's clock, in epoch milliseconds. */
const NOW_MS = "floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now_ms";

export const DATABASE_NOW: Statement = { name: "clock.now", text: `select ${NOW_MS}` };

export const INSERT_MISSION: Statement = {
  name: "mission.insert",
  text: `insert into mission (id, project, name, status, version, direction, shape, step_inputs, input, labels,
  principal, correlation_id, traceparent, create_time, value_bytes)
values ($1, $2, $3, 'PENDING', 1, 'FORWARD', $4, $5, $6, $7, $8, $9, $10, to_timestamp($11::float8 / 1000), $12)`,
};

export const INSERT_STEPS: Statement = {
  name: "mission_step.insert",
  text: `insert into mission_step (mission_id, place, project, name, status, start_order, in_doubt, settled)
select $1, place - 1, $2, name, 'PENDING', 0, false, false
from unnest($3::text[]) with ordinality as given (name, place)`,
};

export const LOCK_MISSIONS: Statement = {
  name: "mission.lock",
  text: `select ${WHOLE}, ${NOW_MS} from mission m where m.id = any($1::uuid[]) order by m.id for update`,
};

export const LOCK_FREE_MISSIONS: Statement = {
  name: "mission.lock_free",
  text: `select ${WHOLE}, ${NOW_MS} from mission m where m.id = any($1::uuid[]) order by m.id
for update skip locked`,
};

export const READ_MISSION: Statement = {
  name: "mission.read",
  text: `select ${WHOLE} from mission m where m.id = $1 and m.project = $2`,
};

const STEP = `s.mission_id, s.place, s.status, s.job_id, s.undo_job_id, s.start_order, s.start_time, s.end_time,
  s.error, s.in_doubt, s.settled`;

export const READ_STEPS: Statement = {
  name: "mission_step.read",
  text: `select ${STEP}, s.output from mission_step s where s.mission_id = any($1::uuid[])
order by s.mission_id, s.place`,
};

export const LIST_STEPS: Statement = {
  name: "mission_step.list",
  text: `select ${STEP}, null as output from mission_step s where s.mission_id = any($1::uuid[])
order by s.mission_id, s.place`,
};

/** Served by mission_project, read backwards. */
export const LIST_MISSIONS: Statement = {
  name: "mission.list",
  text: `select ${TERMS}, null as input, null as step_inputs from mission m
where m.project = $1 and m.id < $2::uuid order by m.id desc limit $3`,
};

/** Served by mission_project_status, read backwards. */
export const LIST_MISSIONS_BY_STATUS: Statement = {
  name: "mission.list_by_status",
  text: `select ${TERMS}, null as input, null as step_inputs from mission m
where m.project = $1 and m.status = $4 and m.id < $2::uuid order by m.id desc limit $3`,
};

/** Served by mission_open. */
export const PENDING_MISSIONS: Statement = {
  name: "mission.pending",
  text: `select id, value_bytes from mission where status = 'PENDING' and end_time is null order by id limit $1`,
};

/** Served by mission_open. */
export const COUNT_OPEN: Statement = {
  name: "mission.count_open",
  text: "select status, count(*)::int as missions from mission where end_time is null group by status",
};

export const VERSIONS: Statement = {
  name: "mission.versions",
  text: "select m.id, m.version, m.status from mission m where m.id = any($1::uuid[])",
};

export const SAVE_MISSIONS: Statement = {
  name: "mission.save",
  text: `update mission m set status = v.status, version = v.version, direction = v.direction,
  start_time = to_timestamp(v.start_ms / 1000), end_time = to_timestamp(v.end_ms / 1000),
  cancel_request_time = to_timestamp(v.cancel_ms / 1000), cause = v.cause::json, attention = v.attention::json,
  value_bytes = m.value_bytes + v.more_bytes
from unnest($1::uuid[], $2::int[], $3::text[], $4::int[], $5::text[], $6::float8[], $7::float8[], $8::float8[],
  ${jsonTexts("$9")}, ${jsonTexts("$10")}, $11::bigint[])
  as v (id, before, status, version, direction, start_ms, end_ms, cancel_ms, cause, attention, more_bytes)
where m.id = v.id and m.version = v.before
returning m.id`,
};

export const SAVE_STEPS: Statement = {
  name: "mission_step.save",
  text: `update mission_step s set status = v.status, job_id = v.job_id, undo_job_id = v.undo_job_id,
  start_order = v.start_order, start_time = to_timestamp(v.start_ms / 1000),
  end_time = to_timestamp(v.end_ms / 1000), error = v.error::json, in_doubt = v.in_doubt, settled = v.settled,
  output = coalesce(v.output, s.output)
from unnest($1::uuid[], $2::smallint[], $3::text[], $4::uuid[], $5::uuid[], $6::smallint[], $7::float8[],
  $8::float8[], ${jsonTexts("$9")}, $10::boolean[], $11::boolean[], ${jsonTexts("$12")})
  as v (mission_id, place, status, job_id, undo_job_id, start_order, start_ms, end_ms, error, in_doubt, settled,
    output)
where s.mission_id = v.mission_id and s.place = v.place`,
};

export const APPEND_AUDIT: Statement = {
  name: "mission_audit.append",
  text: `insert into mission_audit (mission_id, version, project, action, step, outcome, principal, note, audit_time)
values ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000))`,
};
