-- Up Migration

-- One row for each alert, from firing to resolved. What its first notice said never changes.
create table alert (
  id uuid not null constraint alert_pkey primary key,
  fingerprint text not null,
  name text not null,
  severity text not null constraint alert_severity check (severity in ('CRITICAL', 'WARNING', 'INFO')),
  summary text not null,
  description text not null,
  runbook text not null,
  labels json not null,
  correlation_id text not null,
  traceparent text not null,
  status text not null constraint alert_status check
    (status in ('FIRING', 'ACKNOWLEDGED', 'MUTED', 'RESOLVED')),
  version integer not null constraint alert_version check (version >= 1),
  note text not null,
  create_time timestamptz not null default clock_timestamp(),
  start_time timestamptz not null,
  end_time timestamptz,
  acknowledged_by text,
  acknowledge_time timestamptz,
  muted_by text,
  mute_until_time timestamptz,
  constraint alert_end check ((end_time is not null) = (status = 'RESOLVED')),
  constraint alert_acknowledged check ((acknowledged_by is null) = (acknowledge_time is null)),
  constraint alert_taken_on check (status <> 'ACKNOWLEDGED' or acknowledged_by is not null),
  constraint alert_muted check
    ((mute_until_time is not null) = (status = 'MUTED') and (muted_by is null) = (mute_until_time is null))
);
-- A3: fingerprint and start name one alert.
create unique index alert_occurrence on alert (fingerprint, start_time);
-- A4: at most one alert of a fingerprint is open.
create unique index alert_open on alert (fingerprint) where status <> 'RESOLVED';
create index alert_active on alert (severity) where status <> 'RESOLVED';
create index alert_mute on alert (mute_until_time) where mute_until_time is not null;
create index alert_end on alert (end_time) where end_time is not null;

-- Who did what to an alert, and why. Only ever added to, and kept longer than the alert.
create table alert_act (
  alert_id uuid not null,
  version integer not null,            -- of the alert after it
  action text not null constraint alert_act_action check (action in ('acknowledge', 'mute')),
  principal text not null,
  project text not null,               -- of the key that was used
  note text not null,
  correlation_id text not null,
  act_time timestamptz not null,
  constraint alert_act_pkey primary key (alert_id, version)
);

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

-- Accepted requests by their idempotency key, with the answer that a repeat gets. Valid for 24 hours. The
-- partition key has to be part of the primary key; what makes a key unique within its validity is the
-- advisory lock taken on it.
create table idempotency_key (
  project text not null,
  route text not null,
  key text not null,
  status text not null constraint idempotency_key_status check (status in ('COMPLETED')),
  fingerprint text not null,
  response_hash text not null,
  response bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  constraint idempotency_key_pkey primary key (project, route, key, created_at)
) partition by range (created_at);
create table idempotency_key_default partition of idempotency_key default;
select ensure_day_partitions('idempotency_key', 3);

-- The second net under every statement's own project condition: what a transaction was not opened for, it
-- cannot see. The two selects run once for each statement, not for each row.
alter table idempotency_key enable row level security;
create policy idempotency_key_project on idempotency_key using (
  (select current_setting('orrery.projects', true) = '*')
  or project = any ((select coalesce(nullif(current_setting('orrery.projects', true), '*'), '{}')::text[])::text[]));

-- The service's role, where there is one (a test runs as the owner).
do $$ begin
  if exists (select from pg_roles where rolname = 'alerts') then
    grant usage on schema public to alerts;
    grant select, insert, update, delete on alert to alerts;
    grant select, insert on alert_act, idempotency_key, outbox, outbox_default to alerts;
    grant select, insert, update, delete on outbox_pending to alerts;
    grant usage on sequence outbox_pending_seq_seq to alerts;
    grant select, update on relay_term to alerts;
    grant select, insert, update on relay_stream to alerts;
    grant select on outbox_status to alerts;
  end if;
end $$;

-- Down Migration

drop view outbox_status;
drop table relay_stream, relay_term, outbox_pending, outbox, idempotency_key, alert_act, alert;
drop function ensure_day_partitions, drop_day_partitions;
