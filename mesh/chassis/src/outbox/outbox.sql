-- The tables of the outbox. Each service copies this text into its first migration (a migration stands on its
-- own and never changes), and grants to the role that the service runs as:
--   grant select, insert on outbox, outbox_default to <role>;
--   grant select, insert, update, delete on outbox_pending to <role>;
--   grant usage on sequence outbox_pending_seq_seq to <role>;
--   grant select, update on relay_term to <role>;
--   grant select, insert, update on relay_stream to <role>;
--   grant select on outbox_status to <role>;
-- The functions run with the rights of the owner, so that the service's role can neither create nor drop a
-- table.

-- Makes the partitions of today and of the days ahead. A day whose rows already went to the default partition
-- is left there, so that this never fails and no insert ever does.
-- @param parent - a table range-partitioned by a timestamptz, with a default partition
create function ensure_day_partitions(parent text, days_ahead integer) returns integer
  language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' as $$
declare
  first_day timestamptz := date_trunc('day', clock_timestamp());
  day timestamptz;
  made integer := 0;
begin
  for ahead in 0..days_ahead loop
    day := first_day + make_interval(days => ahead);
    continue when to_regclass(format('%I', parent || to_char(day, '"_"YYYYMMDD'))) is not null;
    begin
      execute format('create table %I partition of %I for values from (%L) to (%L)',
        parent || to_char(day, '"_"YYYYMMDD'), parent, day, day + interval '1 day');
      made := made + 1;
    exception when check_violation or duplicate_table then
      raise notice 'the day % of % stays in the default partition', day, parent;
    end;
  end loop;
  return made;
end $$;

-- Drops the partitions of whole days that ended longer ago than `keep`.
create function drop_day_partitions(parent text, keep interval) returns integer
  language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' as $$
declare
  partition text;
  dropped integer := 0;
begin
  for partition in
    select child.relname from pg_inherits
      join pg_class child on child.oid = inhrelid
      join pg_class mother on mother.oid = inhparent
     where mother.relname = parent and child.relname ~ '_\d{8}$'
       and to_timestamp(right(child.relname, 8), 'YYYYMMDD') + interval '1 day' < clock_timestamp() - keep
  loop
    execute format('drop table %I', partition);
    dropped := dropped + 1;
  end loop;
  return dropped;
end $$;

-- Every event of the service, kept for longer than the stream keeps it, so that the stream can be made again
-- from here.
create table outbox (
  id uuid not null,                    -- the event's id
  aggregate_id uuid not null,
  event_type text not null,
  version integer not null,            -- of the aggregate: 1, 2, 3 without a gap, given under the aggregate's row lock
  subject text not null,
  payload text not null,               -- the envelope as it is published; text, so that it stays byte for byte
  traceparent text not null,
  project_id text not null,
  occurred_at timestamptz not null,    -- by the database's clock
  primary key (aggregate_id, version, occurred_at)
) partition by range (occurred_at);

create table outbox_default partition of outbox default;

-- What has not been acknowledged by the broker: up to fifty events of one transaction in a row, place by place.
-- Short-lived: written with its events, deleted when the broker has them all, narrowed when it has some. Rows of one
-- aggregate have growing seq; republished events get one below all others.
create table outbox_pending (
  seq bigserial primary key,
  aggregate_ids uuid[] not null,
  versions integer[] not null,
  occurred_at timestamptz[] not null,
  retry_count integer not null default 0
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_limit = 2000);

-- Which relay may publish: one row, one holder, a term that grows with each change of holder.
create table relay_term (
  one boolean primary key default true check (one),
  holder text not null default '',
  instance text not null default '',
  term bigint not null default 0,
  expires_at timestamptz not null default '-infinity'
);
insert into relay_term default values;

-- What the relay last saw of its stream, to notice one that was lost: its creation, its last sequence, and
-- the moment before which everything was in it.
create table relay_stream (
  stream text primary key,
  created text not null,
  last_sequence bigint not null,
  published_before timestamptz not null
);

-- The outbox with the state of each event: PENDING until the broker has acknowledged it, FAILED while
-- attempts failed, of it or of one that is noted with it.
create view outbox_status as
  select o.id, o.aggregate_id, o.event_type, o.version, o.payload, o.occurred_at,
         case when p.seq is null then 'SENT' when p.retry_count = 0 then 'PENDING' else 'FAILED' end as status,
         coalesce(p.retry_count, 0) as retry_count
    from outbox o
    left join (
      select seq, retry_count, unnest(aggregate_ids) as aggregate_id, unnest(versions) as version from outbox_pending
    ) p on p.aggregate_id = o.aggregate_id and p.version = o.version;

select ensure_day_partitions('outbox', 7);
