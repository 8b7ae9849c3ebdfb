// T1: spans are a help and no record: a commit does not wait for the disk, and a crash of the machine may cost the
// last of them. Losing the process alone costs nothing.
export const OPEN = `
  pragma journal_mode = wal;
  pragma synchronous = off;
  pragma cache_size = -2000;
  pragma journal_size_limit = 16777216;
`;

/** Counts up with each change of the tables below; a file of another layout is made anew. */
export const LAYOUT = 1;

export const CREATE = `
  create table if not exists trace (
    id text primary key, seen_ms integer not null, spans integer not null, dropped integer not null
  ) without rowid;
  create index if not exists trace_seen on trace (seen_ms);
  create table if not exists span (
    trace_id text not null, span_id text not null, parent_id text not null, name text not null,
    service text not null, start_us integer not null, duration_us integer not null, failed integer not null,
    attributes text not null, primary key (trace_id, span_id)
  ) without rowid;
`;

export const SEE_TRACE =
  "insert into trace (id, seen_ms, spans, dropped) values (?, ?, 0, 0) on conflict do nothing";
export const FIND_TRACE = "select spans, dropped from trace where id = ?";
export const SAVE_SPAN = `
  insert into span (trace_id, span_id, parent_id, name, service, start_us, duration_us, failed, attributes)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing
`;
export const COUNT_SPANS = "update trace set spans = spans + ?, dropped = dropped + ? where id = ?";

export const READ_SPANS = `
  select trace_id, span_id, parent_id, name, service, start_us, duration_us, failed, attributes
    from span where trace_id = ? order by start_us
`;

export const SIZE = `
  select (select total(spans) from trace) as spans, (page_count - freelist_count) * page_size as bytes
    from pragma_page_count, pragma_freelist_count, pragma_page_size
`;

export const OLDER_THAN = "select id from trace where seen_ms < ? order by seen_ms limit ?";
export const OLDEST = "select id from trace order by seen_ms limit ?";
export const DROP_SPANS = "delete from span where trace_id = ?";
export const DROP_TRACE = "delete from trace where id = ?";
