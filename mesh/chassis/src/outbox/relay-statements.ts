import type { Statement } from "../postgres/pool.ts";
import type { StoredEvent } from "./outbox.ts";

// What runs rarely and is best planned for the values it gets has no name.
const PLANNED_EACH_TIME = "";

/** The most rows of one batch: the batch that was measured. */
export const BATCH_ROWS = 500;

/** One event that waits for the broker. */
export type PendingRow = StoredEvent & { readonly seq: number };

/**
 * The first pending rows, without those under way and those of aggregates that are held back.
 *
 * Always from the lowest seq, never from the last one seen: a transaction that commits late has a low one,
 * and paging by it lost 42 % of the rows of twelve writers. Served by the primary keys; the lateral join
 * keeps it at one probe a row. Values: what is under way, the aggregates held back, and the highest that is under
 * way: rows above it, mostly all that are found, are spared the walk along the list.
 */
export const READ_PENDING: Statement = {
  name: "relay.read_pending",
  text: `select p.seq, p.aggregate_id as "aggregateId", p.aggregate_version as version, o.id,
       o.event_type as "eventType", o.subject, o.payload, o.traceparent, p.occurred_at as "occurredAtMs"
  from (select seq, aggregate_id, aggregate_version, occurred_at from outbox_pending
         where (seq > $3::bigint or seq <> all($1::bigint[])) and aggregate_id <> all($2::text[])
         order by seq limit ${BATCH_ROWS}) p
 cross join lateral (
   select id, event_type, subject, payload, traceparent from outbox
    where aggregate_id = p.aggregate_id and version = p.aggregate_version and occurred_at = p.occurred_at limit 1) o
 order by p.seq`,
};

/**
 * Deletes acknowledged rows, if the term is still held. The lock on the term row makes a takeover wait for
 * this delete, so that none is ever made under a term that has ended.
 */
export const DELETE_ACKNOWLEDGED: Statement = {
  name: "relay.delete_acknowledged",
  text: `with fence as materialized (
  select 1 from relay_term where holder = $2 and term = $3 and expires_at > clock_timestamp() for share
), gone as (
  delete from outbox_pending where seq = any($1::bigint[]) and exists (select from fence)
)
select exists (select from fence) as held`,
};

/** Counts an attempt that the broker refused or did not answer. */
export const COUNT_RETRIES: Statement = {
  name: PLANNED_EACH_TIME,
  text: "update outbox_pending set retry_count = retry_count + 1 where seq = any($1::bigint[])",
};

/**
 * Takes the term if it is free, and raises it. Values: holder, instance, milliseconds, and whether this is
 * the first try of a process: then the term of an earlier process of the same instance is free as well.
 */
export const ACQUIRE_TERM: Statement = {
  name: "relay.acquire_term",
  text: `update relay_term
   set holder = $1, instance = $2, term = term + 1, expires_at = clock_timestamp() + $3 * interval '1 millisecond'
 where expires_at <= clock_timestamp() or ($4 and instance = $2)
returning term`,
};

/** Holds the term for longer. Values: holder, term, milliseconds. No row when it was lost. */
export const RENEW_TERM: Statement = {
  name: "relay.renew_term",
  text: `update relay_term set expires_at = clock_timestamp() + $3 * interval '1 millisecond'
 where holder = $1 and term = $2 and expires_at > clock_timestamp()
returning term`,
};

/** Gives the term back, so that another need not wait for its end. */
export const RELEASE_TERM: Statement = {
  name: "relay.release_term",
  text: "update relay_term set expires_at = '-infinity' where holder = $1 and term = $2",
};

/** How many events wait, and for how long the oldest has. Exact: a backlog of a million is counted in about 60 ms. */
export const COUNT_PENDING: Statement = {
  name: "relay.count_pending",
  text: `select count(*) as pending,
       coalesce(extract(epoch from clock_timestamp() - min(occurred_at)), 0)::float8 as "oldestSeconds"
  from outbox_pending`,
};

/** What the relay last saw of a stream. */
export const READ_STREAM: Statement = {
  name: "relay.read_stream",
  text: `select created, last_sequence as "lastSequence", published_before as "publishedBeforeMs"
  from relay_stream where stream = $1`,
};

/**
 * The moment before which every event has been acknowledged. The minute covers transactions under way, which
 * are a second long at most.
 */
export const PUBLISHED_BEFORE: Statement = {
  name: PLANNED_EACH_TIME,
  text: `select coalesce(min(occurred_at), clock_timestamp()) - interval '1 minute' as "publishedBeforeMs"
  from outbox_pending`,
};

/** Notes what the relay saw of a stream, if it still holds its term. */
export const SAVE_STREAM: Statement = {
  name: "relay.save_stream",
  text: `insert into relay_stream (stream, created, last_sequence, published_before)
select $1, $2, $3, to_timestamp($4::float8 / 1000)
 where exists (select from relay_term where holder = $5 and term = $6 and expires_at > clock_timestamp() for share)
    on conflict (stream) do update
   set created = excluded.created, last_sequence = excluded.last_sequence,
       published_before = excluded.published_before`,
};

/**
 * Notes published events as pending again. They get numbers below all others, in the order of their time, so
 * that what is new is published after what is old and the versions of each aggregate stay in order.
 */
export const PEND_AGAIN: Statement = {
  name: PLANNED_EACH_TIME,
  text: `with again as (
  insert into outbox_pending (seq, aggregate_id, aggregate_version, occurred_at)
  select (select coalesce(least(min(seq), 0), 0) from outbox_pending)
           - row_number() over (order by o.occurred_at desc, o.aggregate_id desc, o.version desc),
         o.aggregate_id, o.version, o.occurred_at
    from outbox o
   where o.occurred_at >= to_timestamp($1::float8 / 1000)
     and not exists (select from outbox_pending p
                      where p.aggregate_id = o.aggregate_id and p.aggregate_version = o.version
                        and p.occurred_at = o.occurred_at)
  returning 1
)
select count(*) as events from again`,
};

/** Makes the partitions of the days ahead and drops those that are older than the stream's events. */
export const KEEP_PARTITIONS: Statement = {
  name: PLANNED_EACH_TIME,
  text: `select ensure_day_partitions('outbox', $1) as made,
       drop_day_partitions('outbox', $2 * interval '1 day') as dropped`,
};
