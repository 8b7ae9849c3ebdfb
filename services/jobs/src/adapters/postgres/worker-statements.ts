import type { Statement } from "@orrery/mesh/postgres/pool";

/** Absent values leave what is there; a worker that only ever sent heartbeats serves no task. */
export const NOTE_WORKERS: Statement = {
  name: "worker.note",
  text: `insert into worker as w (project, name, tasks, queues, slots, draining, seen_time)
select coalesce(project, ''), name, coalesce(array(select json_array_elements_text(tasks)), '{}'),
  coalesce(array(select json_array_elements_text(queues)), '{}'), coalesce(slots, 0), draining, clock_timestamp()
from unnest($1::text[], $2::text[], $3::json[], $4::json[], $5::int[], $6::boolean[])
  as seen (project, name, tasks, queues, slots, draining)
on conflict (project, name) do update set seen_time = excluded.seen_time, draining = excluded.draining,
  tasks = case when cardinality(excluded.tasks) = 0 then w.tasks else excluded.tasks end,
  queues = case when cardinality(excluded.tasks) = 0 then w.queues else excluded.queues end,
  slots = case when cardinality(excluded.tasks) = 0 then w.slots else excluded.slots end`,
};

/** Who counts as live, listed or asked about: one that waits for work without a word asks again every 30 seconds. */
export const SEEN_LATELY = "w.seen_time > clock_timestamp() - interval '1 minute'";

const OF_PROJECT = `w.project in ($1, '') and ${SEEN_LATELY}`;

/** A worker may name 200 tasks and queues: the list ends at so many bytes of names, so that it fits into one answer. */
const LISTED_NAMES_BYTES = 2 * 1024 * 1024;

export const LIST_WORKERS: Statement = {
  name: "worker.list",
  text: `select w.name, w.tasks, w.queues, w.slots, w.draining, w.seen_time,
  (select count(*)::int from lease l where l.worker = w.name and l.project = $1) as leases,
  (select count(*)::int from worker w where ${OF_PROJECT}) as total
from (select *, sum(octet_length(array_to_string(tasks || queues, ','))) over (order by name, project) as bytes
  from (select w.* from worker w where ${OF_PROJECT} order by w.name, w.project limit 1000) first) w
where w.bytes <= ${LISTED_NAMES_BYTES}
order by w.name, w.project`,
};

export const FORGET_WORKERS: Statement = {
  name: "worker.forget",
  text: "delete from worker where seen_time < clock_timestamp() - interval '10 minutes'",
};
