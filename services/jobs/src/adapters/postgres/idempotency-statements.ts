import type { Statement } from "@orrery/mesh/postgres/pool";

/**
 * Takes the lock of each key that is free, for this transaction, and waits for none. A statement of its own:
 * one that also read the stored answers would read them as they were before it had the locks.
 */
export const TAKE_KEYS: Statement = {
  name: "idempotency.take",
  text: `select pg_try_advisory_xact_lock(hashtextextended(project || chr(1) || route || chr(1) || key, 0)) as taken
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as asked (project, route, key, ord)
order by ord`,
};

export const STORED_ANSWERS: Statement = {
  name: "idempotency.stored",
  text: `select asked.ord::int as ord, k.fingerprint, k.response
from unnest($1::text[], $2::text[], $3::text[]) with ordinality as asked (project, route, key, ord)
cross join lateral (
  select fingerprint, response from idempotency_key i
  where i.project = asked.project and i.route = asked.route and i.key = asked.key
    and i.created_at > clock_timestamp() - interval '24 hours'
  order by i.created_at desc limit 1) k`,
};

export const STORE_ANSWERS: Statement = {
  name: "idempotency.store",
  text: `insert into idempotency_key (project, route, key, status, fingerprint, response_hash, response,
  created_at, expires_at)
select project, route, key, 'COMPLETED', fingerprint, encode(sha256(response), 'hex'), response, clock_timestamp(),
  clock_timestamp() + interval '24 hours'
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bytea[])
  as given (project, route, key, fingerprint, response)`,
};
