import type { Statement } from "../postgres/pool.ts";

/**
 * Takes the lock of a key if it is free, for this transaction, and waits for none. A statement of its own: one
 * that also read the stored answer would read it as it was before it had the lock.
 */
export const TAKE_KEY: Statement = {
  name: "idempotency.take_one",
  text: `select pg_try_advisory_xact_lock(
  hashtextextended(concat_ws(chr(1), $1::text, $2::text, $3::text), 0)) as taken`,
};

/** Served by the primary key of each day's partition. */
export const STORED_ANSWER: Statement = {
  name: "idempotency.stored_one",
  text: `select fingerprint, response from idempotency_key
where project = $1 and route = $2 and key = $3 and created_at > clock_timestamp() - interval '24 hours'
order by created_at desc limit 1`,
};

export const STORE_ANSWER: Statement = {
  name: "idempotency.store_one",
  text: `insert into idempotency_key (project, route, key, status, fingerprint, response_hash, response,
  created_at, expires_at)
values ($1, $2, $3, 'COMPLETED', $4, encode(sha256($5::bytea), 'hex'), $5::bytea, clock_timestamp(),
  clock_timestamp() + interval '24 hours')`,
};

/** Makes the partitions of the days ahead and drops those whose keys have all ended. */
export const KEEP_KEY_PARTITIONS: Statement = {
  name: "idempotency.partitions",
  text: `select ensure_day_partitions('idempotency_key', 3), drop_day_partitions('idempotency_key', interval '1 day')`,
};
