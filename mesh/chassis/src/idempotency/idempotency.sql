-- The table of idempotency keys. A service that takes keys copies this text into its first migration, after that of
-- the outbox (whose functions keep the days), and grants to the role that the service runs as:
--   grant select, insert on idempotency_key to <role>;

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
