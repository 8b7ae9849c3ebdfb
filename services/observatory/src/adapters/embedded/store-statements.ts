import { KINDS, type Kind } from "../../domain/projection.ts";
import { KEYWORD_FIELDS, NUMBER_FIELDS } from "../../domain/search-keys.ts";
import { KEYWORD_COLUMNS, NUMBER_COLUMNS } from "./filter-sql.ts";

// S1: one connection writes, many read; the file is in WAL mode, so readers see the last commit and never
// wait.
// S2: a commit is on disk before it is acknowledged to the broker (synchronous = full).
// S3: a commit writes whole pages, and a row is 1 to 2 kB: with pages of 4 kB a batch of 40 events cost half as much
// again (42 against 28 µs an event, and 92 against 73 MB for 36,000).
// S4: a statement that may walk over many rows of a project asks at each whether it is still wanted, and fails where it
// is not: node has no other way to interrupt one. It costs 40 ns a row, a fifth of what a row in memory costs. Reads of
// one job or mission are short, and do not ask.
export const OPEN = `
  pragma page_size = 16384;
  pragma journal_mode = wal;
  pragma synchronous = full;
  pragma temp_store = memory;
  pragma cache_size = -8000;
  pragma journal_size_limit = 67108864;
`;

/** The keywords in the order of their columns; an id and an event's name have a place of their own. */
export const KEYWORDS = KEYWORD_FIELDS.filter((field) => field !== "id" && field !== "event");
const KEYWORD_NAMES = KEYWORDS.map((field) => KEYWORD_COLUMNS[field]);
const NUMBERS = NUMBER_FIELDS.map((field) => NUMBER_COLUMNS[field]);

const KEYS = `
  ${KEYWORD_NAMES.map((column) => `${column} text`).join(", ")},
  ${NUMBERS.map((column) => `${column} integer`).join(", ")},
  labels text not null, words text not null
`;

/**
 * Counts up with each change of the tables below; a file of another layout is made anew and projected again.
 */
export const LAYOUT = 3;

// One table for each kind of document, of the same columns. The lists' orders are (project, created, id), with
// and without a status, and one index for each further order.
const tableOf = (kind: Kind) => `
  create table if not exists ${kind} (
    project text not null, id text not null, version integer not null, ${KEYS},
    failure text, body text not null
  );
  create unique index if not exists ${kind}_id on ${kind} (project, id);
  create index if not exists ${kind}_created on ${kind} (project, created, id);
  create index if not exists ${kind}_status on ${kind} (project, status, created, id);
  create index if not exists ${kind}_priority on ${kind} (project, priority, id);
  create index if not exists ${kind}_started on ${kind} (project, started, id);
  create index if not exists ${kind}_finished on ${kind} (project, finished, id);
`;

export const CREATE = `
  create table if not exists store (only integer primary key check (only = 1), generation text not null);
  ${KINDS.map(tableOf).join("")}
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
export const SIZE = `
  select ${[...KINDS, "event"].map((table) => `(select count(*) from ${table})`).join(" + ")} as documents,
         page_count * page_size as bytes
    from pragma_page_count, pragma_page_size
`;
export const FORGET = [...KINDS, "event", "store"].map((table) => `delete from ${table};`).join(" ");

const COLUMNS = [
  "project",
  "id",
  "version",
  ...KEYWORD_NAMES,
  ...NUMBERS,
  "labels",
  "words",
  "failure",
  "body",
];
const OVERWRITTEN = COLUMNS.filter((column) => column !== "project" && column !== "id");
const EVENT_COLUMNS = [
  "project",
  "event_id",
  "id",
  "version",
  "event",
  ...KEYWORD_NAMES,
  ...NUMBERS,
  "labels",
  "words",
  "envelope",
];
const places = (columns: readonly string[]) => columns.map(() => "?").join(", ");

// D1: the newer version wins, whichever comes last. Served by <kind>_id.
const saveInto = (kind: Kind) => `
  insert into ${kind} (${COLUMNS.join(", ")}) values (${places(COLUMNS)})
  on conflict (project, id) do update
  set ${OVERWRITTEN.map((column) => `${column} = excluded.${column}`).join(", ")}
  where excluded.version > ${kind}.version
`;
export const SAVE: Readonly<Record<Kind, string>> = {
  job: saveInto("job"),
  mission: saveInto("mission"),
  alert: saveInto("alert"),
};

// An event never changes, so a duplicate has nothing to add.
export const SAVE_EVENT = `
  insert into event (${EVENT_COLUMNS.join(", ")}) values (${places(EVENT_COLUMNS)})
  on conflict do nothing
`;

export const find = (kind: Kind) => `select id, version, body from ${kind} where project = ? and id = ?`;

export const HISTORY = `
  select event_id, id, version, envelope from event where project = ? and id = ? and version > ?
  order by version limit ?
`;

// Served by event_version alone.
export const COUNT_VERSIONS = `
  select count(*) as found from event where project = ? and id = ? and version <= ?
`;

/** Documents that fit; conditions and order come from the compiler of the query language. */
export const search = (kind: Kind, condition: string, order: string, column: string) => `
  select id, version, body, ${column} as place from ${kind}
  where project = ? and wanted() and ${condition} ${order} limit ?
`;

export const count = (kind: Kind, condition: string) =>
  `select count(*) as found from
    (select 1 from ${kind} where project = ? and wanted() and ${condition} limit ?)`;

// The condition has to be walked along event_id, hence the hint: the planner knows no statistics of this
// file.
export const searchEvents = (condition: string) => `
  select event_id, id, version, envelope from event indexed by event_id
  where project = ? and event_id > ? and wanted() and ${condition} order by event_id limit ?
`;

// Served by <kind>_status alone.
export const countByStatus = (kind: Kind) =>
  `select status, count(*) as found from ${kind} where project = ? and wanted() group by status`;

export const TOP_FAILURES = `
  select failure, count(*) as found, max(finished) as last from job
  where project = ? and wanted() and failure is not null
  group by failure order by found desc, last desc, failure limit 10
`;
