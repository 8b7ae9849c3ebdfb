-- Up Migration

-- Rows of job and attempt are found by a handful of ids at a time, always through the primary key. A plan
-- made while the tables are still small would read them whole, and keep doing so until the next analyze:
-- plans of this database never choose to while an index serves.
do $$ begin
  execute format('alter database %I set enable_seqscan = off', current_database());
  execute format('alter database %I set enable_hashjoin = off', current_database());
  execute format('alter database %I set enable_mergejoin = off', current_database());
  execute format('alter database %I set jit = off', current_database());
exception when insufficient_privilege then null;
end $$;

-- One row for each job: its terms, where it stands, what goes in and what came out. Input and output are the
-- JSON as it came, as text: the database never looks inside, so that output = input holds to the last
-- character.
create table job (
  id uuid not null,
  project text not null,
  task text not null,
  queue text not null,
  status text not null constraint job_status check
    (status in ('SCHEDULED', 'QUEUED', 'RUNNING', 'RETRYING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED')),
  version integer not null constraint job_version check (version >= 1),
  priority smallint not null constraint job_priority check (priority between 0 and 9),
  attempt integer not null,
  max_attempts integer not null,
  attempts_submitted integer not null,
  released integer not null,
  failures integer not null,
  timeout_ms bigint not null,
  retry_initial_ms bigint not null,
  retry_factor double precision not null,
  retry_max_ms bigint not null,
  retry_jitter double precision not null,
  create_time timestamptz not null,
  run_time timestamptz not null,
  start_time timestamptz,
  end_time timestamptz,
  expire_time timestamptz,
  cancel_request_time timestamptz,
  labels json not null,
  concurrency_key text not null,
  correlation_id text not null,
  traceparent text not null,
  principal text not null,
  mission_id text not null,
  step text not null,
  reason text not null,
  error_type text,
  error_message text,
  error_retryable boolean,
  input text,
  output text,
  constraint job_end check
    ((end_time is not null) = (status in ('SUCCEEDED', 'FAILED', 'CANCELLED', 'EXPIRED'))),
  constraint job_pkey primary key (id)
) partition by range (id);

-- One row for each grant of a job that has ended; the one that runs is its lease.
create table attempt (
  job_id uuid not null,
  attempt integer not null,
  project text not null,
  status text not null constraint attempt_status check
    (status in ('SUCCEEDED', 'FAILED', 'LOST', 'CANCELLED', 'RELEASED')),
  worker text not null,
  principal text not null,
  start_time timestamptz not null,
  end_time timestamptz not null,
  error_type text,
  error_message text,
  error_retryable boolean,
  digest text not null,
  constraint attempt_pkey primary key (job_id, attempt)
) partition by range (job_id);

-- Nearly every job is updated twice, at its grant and at its end: its page has room for both. An attempt is only ever
-- added.
create table job_open partition of job for values from (minvalue) to (maxvalue)
  with (fillfactor = 45, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
create table attempt_open partition of attempt for values from (minvalue) to (maxvalue)
  with (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);

-- Where the open partitions begin; null: at the beginning of time.
create table partition_start (parent text primary key, open_from timestamptz);
insert into partition_start values ('job', null), ('attempt', null);

-- The smallest UUIDv7 of a time.
create function uuid_floor(at timestamptz) returns uuid language sql immutable parallel safe as $$
  select (lpad(to_hex(floor(extract(epoch from at) * 1000)::bigint), 12, '0') || '00000000000000000000')::uuid
$$;

-- Closes the open partition of job and attempt at a month's end, once it is less than a month ahead, and
-- opens the next. Moving the bound needs a lock on the table for as long as it takes to check the rows, of
-- which there are few or none.
create function extend_id_partitions() returns void language plpgsql security definer
  set search_path from current as $$
declare
  kept record;
  bound timestamptz;
  closed text;
begin
  for kept in select parent, open_from from partition_start order by parent for update loop
    continue when kept.open_from > now() + interval '1 month';
    bound := date_trunc('month', now(), 'UTC') + interval '2 months';
    continue when bound <= kept.open_from;
    closed := kept.parent || to_char(bound at time zone 'UTC' - interval '1 day', '_YYYY_MM');
    execute format('alter table %I detach partition %I', kept.parent, kept.parent || '_open');
    execute format('alter table %I rename to %I', kept.parent || '_open', closed);
    execute format('create table %I (like %I including all)', kept.parent || '_open', closed);
    execute format('alter table %I set (fillfactor = %s, autovacuum_vacuum_scale_factor = 0.05,'
      ' autovacuum_vacuum_cost_delay = 0)', kept.parent || '_open', case kept.parent when 'job' then 45 else 100 end);
    if kept.open_from is null then
      execute format('alter table %I attach partition %I for values from (minvalue) to (%L)',
        kept.parent, closed, uuid_floor(bound));
    else
      execute format('alter table %I attach partition %I for values from (%L) to (%L)',
        kept.parent, closed, uuid_floor(kept.open_from), uuid_floor(bound));
    end if;
    execute format('alter table %I attach partition %I for values from (%L) to (maxvalue)',
      kept.parent, kept.parent || '_open', uuid_floor(bound));
    update partition_start set open_from = bound where parent = kept.parent;
  end loop;
end $$;
select extend_id_partitions();

-- What can be leased, in the order in which it is: the one table with churn. rank is 9 - priority, so that
-- one ascending index gives the order. Rows are never updated, only added and taken away.
create table job_ready (
  project text not null,
  queue text not null,
  task text not null,
  rank smallint not null,
  run_time timestamptz not null,
  id uuid not null,
  concurrency_key text not null,
  input_bytes integer not null,
  constraint job_ready_pkey primary key (project, queue, task, rank, run_time, id)
) with (fillfactor = 90, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0, autovacuum_analyze_scale_factor = 0.2);

-- What waits for its time: SCHEDULED and RETRYING.
create table job_due (
  id uuid not null constraint job_due_pkey primary key,
  project text not null,
  queue text not null,
  status text not null constraint job_due_status check (status in ('SCHEDULED', 'RETRYING')),
  due_time timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
create index job_due_time on job_due (due_time, id);

-- Open jobs that have to have ended by a time.
create table job_expiry (
  id uuid not null constraint job_expiry_pkey primary key,
  expire_time timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
create index job_expiry_time on job_expiry (expire_time);

-- One row for each open lease. A heartbeat moves expire_time alone, which no index holds, so that it stays in
-- its page.
create table lease (
  job_id uuid not null constraint lease_pkey primary key,
  epoch integer not null,
  project text not null,
  queue text not null,
  concurrency_key text not null,
  worker text not null,
  principal text not null,
  request_id text not null,
  start_time timestamptz not null,
  expire_time timestamptz not null,
  timeout_time timestamptz not null,
  cancel_time timestamptz
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);
-- The id makes its entries unique: they are added at the end of their queue's range, where equal ones would be
-- fitted in by the place of their rows, which cost a grant and its end a sixth.
create index lease_queue on lease (project, queue, concurrency_key, job_id);
create index lease_request on lease (principal, request_id) where request_id <> '';

create table queue (
  project text not null,
  name text not null,
  paused boolean not null default false,
  concurrency integer not null default 0 constraint queue_concurrency check (concurrency >= 0),
  concurrency_per_key integer not null default 0 constraint queue_concurrency_per_key check (concurrency_per_key >= 0),
  rate_limit integer not null default 0 constraint queue_rate check (rate_limit >= 0),
  rate_period_ms integer not null default 1000 constraint queue_period check (rate_period_ms >= 1),
  limited boolean not null generated always as
    (concurrency > 0 or concurrency_per_key > 0 or rate_limit > 0) stored,
  constraint queue_pkey primary key (project, name)
);

-- Which tasks were ever submitted to which queue: so a lease looks into few ranges of job_ready, and only
-- into those.
create table queue_task (
  task text not null,
  project text not null,
  queue text not null,
  constraint queue_task_pkey primary key (task, project, queue)
);
create index queue_task_queue on queue_task (project, queue);

-- How many jobs a queue with a rate limit started when: what falls out of the period is deleted.
create table queue_start (
  project text not null,
  queue text not null,
  start_time timestamptz not null,
  starts integer not null
);
create index queue_start_time on queue_start (project, queue, start_time);

-- Project '' is the platform's own: it serves every project.
create table worker (
  project text not null,
  name text not null,
  tasks text[] not null,
  queues text[] not null,
  slots integer not null,
  draining boolean not null,
  seen_time timestamptz not null,
  constraint worker_pkey primary key (project, name)
) with (fillfactor = 50);

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
alter table job enable row level security;
alter table attempt enable row level security;
alter table idempotency_key enable row level security;
create policy job_project on job using (
  (select current_setting('orrery.projects', true) = '*')
  or project = any ((select coalesce(nullif(current_setting('orrery.projects', true), '*'), '{}')::text[])::text[]));
create policy attempt_project on attempt using (
  (select current_setting('orrery.projects', true) = '*')
  or project = any ((select coalesce(nullif(current_setting('orrery.projects', true), '*'), '{}')::text[])::text[]));
create policy idempotency_key_project on idempotency_key using (
  (select current_setting('orrery.projects', true) = '*')
  or project = any ((select coalesce(nullif(current_setting('orrery.projects', true), '*'), '{}')::text[])::text[]));

-- The service's role, where there is one (a test runs as the owner).
do $$ begin
  if exists (select from pg_roles where rolname = 'jobs') then
    grant usage on schema public to jobs;
    grant select, insert, update on job, attempt, queue, queue_task to jobs;
    grant select, insert, update, delete on job_ready, job_due, job_expiry, lease, queue_start, worker to jobs;
    grant select, insert on idempotency_key, outbox, outbox_default to jobs;
    grant select, insert, update, delete on outbox_pending to jobs;
    grant usage on sequence outbox_pending_seq_seq to jobs;
    grant select, update on relay_term to jobs;
    grant select, insert, update on relay_stream to jobs;
    grant select on outbox_status to jobs;
  end if;
end $$;

-- Down Migration

drop view outbox_status;
drop table relay_stream, relay_term, outbox_pending, outbox, idempotency_key, worker, queue_start, queue_task, queue,
  lease, job_expiry, job_due, job_ready, partition_start, attempt, job;
drop function extend_id_partitions, uuid_floor, ensure_day_partitions, drop_day_partitions;
