-- Up Migration

-- Every row here is found by a handful of ids at a time, through an index. A plan made while the tables are small would
-- read them whole, and keep doing so: plans of this database never choose to while an index serves.
do $$ begin
  execute format('alter database %I set enable_seqscan = off', current_database());
  execute format('alter database %I set enable_hashjoin = off', current_database());
  execute format('alter database %I set enable_mergejoin = off', current_database());
  execute format('alter database %I set jit = off', current_database());
exception when insufficient_privilege then null;
end $$;

-- One row for each mission: its terms, its shape, and where it stands. Shape and input are JSON as text: the database
-- never looks inside.
create table mission (
  id uuid not null constraint mission_pkey primary key,
  project text not null,
  name text not null,
  status text not null constraint mission_status check
    (status in ('PENDING', 'RUNNING', 'COMPENSATING', 'NEEDS_ATTENTION', 'SUCCEEDED', 'FAILED', 'COMPENSATED',
                'CANCELLED')),
  version integer not null constraint mission_version check (version >= 1),
  direction text not null constraint mission_direction check (direction in ('FORWARD', 'BACK')),
  shape text not null,           -- the steps as they were declared, without their inputs
  step_inputs text not null,     -- the inputs of the steps and of their undos
  input text,
  labels json not null,
  principal text not null,
  correlation_id text not null,
  traceparent text not null,
  create_time timestamptz not null,
  start_time timestamptz,
  end_time timestamptz,
  cancel_request_time timestamptz,
  cause json,
  attention json,
  value_bytes bigint not null,   -- of inputs and outputs: what it takes to decide about it
  constraint mission_end check
    ((end_time is not null) = (status in ('SUCCEEDED', 'FAILED', 'COMPENSATED', 'CANCELLED'))),
  constraint mission_attention check ((attention is not null) = (status = 'NEEDS_ATTENTION'))
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
create index mission_project on mission (project, id);
create index mission_project_status on mission (project, status, id);
create index mission_open on mission (status, id) where end_time is null;

-- One row for each step of a mission, by its place in the shape.
create table mission_step (
  mission_id uuid not null,
  place smallint not null,
  project text not null,
  name text not null,
  status text not null constraint mission_step_status check
    (status in ('PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'UNKNOWN', 'SKIPPED', 'UNDOING', 'UNDONE', 'UNDO_FAILED')),
  job_id uuid,
  undo_job_id uuid,
  start_order smallint not null,
  start_time timestamptz,
  end_time timestamptz,
  error json,
  in_doubt boolean not null,
  settled boolean not null,
  output text,
  constraint mission_step_pkey primary key (mission_id, place)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- One row for each job of a mission, written in the transaction that decides on it: what is to be done about it at the
-- jobs service, and when to look. Its input is kept until the jobs service has the job.
create table step_job (
  job_id uuid not null constraint step_job_pkey primary key,
  mission_id uuid not null,
  project text not null,
  step text not null,
  role text not null constraint step_job_role check (role in ('RUN', 'UNDO', 'UNDO_UNKNOWN')),
  errand text constraint step_job_errand check (errand in ('SUBMIT', 'CANCEL', 'RETRY')),
  accepted boolean not null default false,
  cancel boolean not null default false,
  open boolean not null default true,
  seen_version integer not null default 0,   -- of the job, at its last end that was taken in
  task text not null,
  queue text not null,
  input text,
  timeout_ms bigint,
  max_attempts integer,
  due_time timestamptz,
  constraint step_job_open check (open or (errand is null and due_time is null))
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);
create index step_job_due on step_job (due_time) where due_time is not null;

-- Who changed a mission by hand, and why. Rows are only ever added.
create table mission_audit (
  mission_id uuid not null,
  version integer not null,
  project text not null,
  action text not null constraint mission_audit_action check (action in ('CANCEL', 'RETRY', 'RESOLVE')),
  step text not null,
  outcome text not null,
  principal text not null,
  note text not null,
  audit_time timestamptz not null,
  constraint mission_audit_pkey primary key (mission_id, version)
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

alter table mission enable row level security;
create policy mission_project on mission using (
  (select current_setting('orrery.projects', true) = '*')
  or project = any ((select coalesce(nullif(current_setting('orrery.projects', true), '*'), '{}')::text[])::text[]));
alter table mission_step enable row level security;
create policy mission_step_project on mission_step using (
  (select current_setting('orrery.projects', true) = '*')
  or project = any ((select coalesce(nullif(current_setting('orrery.projects', true), '*'), '{}')::text[])::text[]));
alter table step_job enable row level security;
create policy step_job_project on step_job using (
  (select current_setting('orrery.projects', true) = '*')
  or project = any ((select coalesce(nullif(current_setting('orrery.projects', true), '*'), '{}')::text[])::text[]));
alter table mission_audit enable row level security;
create policy mission_audit_project on mission_audit using (
  (select current_setting('orrery.projects', true) = '*')
  or project = any ((select coalesce(nullif(current_setting('orrery.projects', true), '*'), '{}')::text[])::text[]));

-- The service's role, where there is one (a test runs as the owner). Nobody else is granted anything.
do $$ begin
  if exists (select from pg_roles where rolname = 'orchestrator') then
    grant usage on schema public to orchestrator;
    grant select, insert, update on mission, mission_step, step_job to orchestrator;
    grant select, insert on mission_audit, idempotency_key, outbox, outbox_default to orchestrator;
    grant select, insert, update, delete on outbox_pending to orchestrator;
    grant usage on sequence outbox_pending_seq_seq to orchestrator;
    grant select, update on relay_term to orchestrator;
    grant select, insert, update on relay_stream to orchestrator;
    grant select on outbox_status to orchestrator;
  end if;
end $$;

-- Down Migration

drop view outbox_status;
drop table relay_stream, relay_term, outbox_pending, outbox, idempotency_key, mission_audit, step_job, mission_step,
  mission;
drop function ensure_day_partitions, drop_day_partitions;
