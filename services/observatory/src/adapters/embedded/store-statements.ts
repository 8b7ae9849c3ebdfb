import { KEYWORD_COLUMNS, NUMBER_COLUMNS } from "./filter-sql.ts";

// S1: one connection writes, many read; the file is in WAL mode, so readers see the last commit and never
// wait.
// S2: a commit is on disk before it is acknowledged to the broker (synchronous = full).
export const OPEN = `
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma temp_store = memory;
  pragma cache_size = -8000;
  pragma journal_size_limit = 67108864;
`;

const JOB_KEYWORDS = Object.values(KEYWORD_COLUMNS).filter((column) => column !== "id" && column !== "event");
const NUMBERS = Object.values(NUMBER_COLUMNS);

const KEYS = `
  ${JOB_KEYWORDS.map((column) => `${column} text`).join(", ")},
  ${NUMBERS.map((column) => `${column} integer`).join(", ")},
  labels text not null, words text not null
`;

/**
 * Counts up with each change of the tables below; a file of another layout is made anew and projected again.
 */
export const LAYOUT = 1;

// The lists' orders are (project, created, id), with and without a status, and one index for each further
// order.
export const CREATE = `
  create table if not exists store (only integer primary key check (only = 1), generation text not null);
  create table if not exists job (
    project text not null, id text not null, version integer not null, ${KEYS},
    failure text, body text not null
  );
  create unique index if not exists job_id on job (project, id);
  create index if not exists job_created on job (project, created, id);
  create index if not exists job_status on job (project, status, created, id);
  create index if not exists job_priority on job (project, priority, id);
  create index if not exists job_started on job (project, started, id);
  create index if not exists job_finished on job (project, finished, id);
  create index if not exists job_failure on job (project, failure, finished) where failure is not null;
  create table if not exists event (
    project text not null, event_id text not null, id text not null, version integer not null, event text,
    ${KEYS}, envelope text not null
  );
  create unique index if not exists event_id on event (project, event_id);
  create unique index if not exists event_version on event (project, id, version);
`;

export const READ_GENERATION = "select generation from store";
export const WRITE_GENERATION = "insert into store (only, generation) values (1, ?) on conflict do nothing";
export const FORGET = "delete from job; delete from event; delete from store;";

const JOB_COLUMNS = [
  "project",
  "id",
  "version",
  ...JOB_KEYWORDS,
  ...NUMBERS,
  "labels",
  "words",
  "failure",
  "body",
];
const OVERWRITTEN = JOB_COLUMNS.filter((column) => column !== "project" && column !== "id");
const EVENT_COLUMNS = [
  "project",
  "event_id",
  "id",
  "version",
  "event",
  ...JOB_KEYWORDS,
  ...NUMBERS,
  "labels",
  "words",
  "envelope",
];
const places = (columns: readonly string[]) => columns.map(() => "?").join(", ");

// D1: the newer version wins, whichever comes last. Served by job_id.
export const SAVE_JOB = `
  insert into job (${JOB_COLUMNS.join(", ")}) values (${places(JOB_COLUMNS)})
  on conflict (project, id) do update
  set ${OVERWRITTEN.map((column) => `${column} = excluded.${column}`).join(", ")}
  where excluded.version > job.version
`;

// An event never changes, so a duplicate has nothing to add.
export const SAVE_EVENT = `
  insert into event (${EVENT_COLUMNS.join(", ")}) values (${places(EVENT_COLUMNS)})
  on conflict do nothing
`;

export const FIND_JOB = "select id, version, body from job where project = ? and id = ?";

export const HISTORY = `
  select event_id, id, version, envelope from event where project = ? and id = ? and version > ?
  order by version limit ?
`;

/** Jobs that fit; conditions and order come from the compiler of the query language. */
export const searchJobs = (condition: string, order: string, column: string) =>
  `select id, version, body, ${column} as place from job where project = ? and ${condition} ${order} limit ?`;

export const countJobs = (condition: string) =>
  `select count(*) as found from (select 1 from job where project = ? and ${condition} limit ?)`;

// The condition has to be walked along event_id, hence the hint: the planner knows no statistics of this
// file.
export const searchEvents = (condition: string) => `
  select event_id, id, version, envelope from event indexed by event_id
  where project = ? and event_id > ? and ${condition} order by event_id limit ?
`;

// Served by job_status alone.
export const COUNT_BY_STATUS = "select status, count(*) as found from job where project = ? group by status";

export const TOP_FAILURES = `
  select failure, count(*) as found, max(finished) as last from job
  where project = ? and failure is not null
  group by failure order by found desc, last desc, failure limit 10
`;
