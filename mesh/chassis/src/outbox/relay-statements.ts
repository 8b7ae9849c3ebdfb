import type { Statement } from "../postgres/pool.ts";
import { NOTED_TOGETHER, type StoredEvent } from "./outbox.ts";

// What runs rarely and is best planned for the values it gets has no name.
const PLANNED_EACH_TIME = "";

/** How many events a batch holds at least, where as many wait: the batch that was measured. */
export const BATCH_EVENTS = 500;

/** The time of the oldest event that waits; null where none does. */
const OLDEST_WAITING = `(select min(e.occurred_at)
          from outbox_pending p cross join lateral unnest(p.occurred_at) as e (occurred_at))`;

/** One event that waits for the broker. */
export interface PendingEvent extends StoredEvent {
  /** Its row of `outbox_pending`. */
  readonly seq: number;
  /** Whether the outbox still has it. Of one that it has not, only the aggregate and the version are told. */
  readonly kept: boolean;
}

/**
 * The events of the first pending rows, without rows under way and rows of nothing but aggregates that are held back.
 *
 * Always from the lowest seq, never from the last one seen: a transaction that commits late has a low one,
 * and paging by it lost 42 % of the rows of twelve writers. Served by the primary keys; the lateral join
 * keeps it at one probe an event. Values: what is under way, the aggregates held back, and the highest that is under
 * way: rows above it, mostly all that are found, are spared the walk along the list.
 */
export const READ_PENDING: Statement = {
  name: "relay.read_pending",
  text: `select p.seq, e.aggregate_id as "aggregateId", e.version, o.id is not null as kept, o.id,
       o.event_type as "eventType", o.subject, o.payload, o.traceparent, e.occurred_at as "occurredAtMs"
  from (select seq, aggregate_ids, versions, occurred_at,
               sum(cardinality(versions)) over (order by seq) - cardinality(versions) as events_before
          from outbox_pending
         where (seq > $3::bigint or seq <> all($1::bigint[])) and not aggregate_ids <@ $2::uuid[]
         order by seq limit ${BATCH_EVENTS}) p
 cross join lateral unnest(p.aggregate_ids, p.versions, p.occurred_at) with ordinality
         as e (aggregate_id, version, occurred_at, place)
  left join lateral (
   select id, event_type, subject, payload, traceparent from outbox
    where aggregate_id = e.aggregate_id and version = e.version and occurred_at = e.occurred_at limit 1) o on true
 where p.events_before < ${BATCH_EVENTS}
 order by p.seq, e.place`,
};

/**
 * Deletes rows whose events are all done, and takes out of others what is, if the term is still held. The lock on the
 * term row makes a takeover wait for this, so that none is ever made under a term that has ended. What is done is
 * named, and not what stays: carried out late, for a client that has given up, it takes nothing else out. Values: the
 * rows to delete, holder, term, and row, aggregate and version of each event to take out.
 */
export const SETTLE_PENDING: Statement = {
  name: "relay.settle_pending",
  text: `with fence as materialized (
  select 1 from relay_term where holder = $2 and term = $3 and expires_at > clock_timestamp() for share
), gone as (
  delete from outbox_pending where seq = any($1::bigint[]) and exists (select from fence)
), narrowed as (
  update outbox_pending p set (aggregate_ids, versions, occurred_at) = (
    select array_agg(e.aggregate_id order by e.place), array_agg(e.version order by e.place),
           array_agg(e.occurred_at order by e.place)
      from unnest(p.aggregate_ids, p.versions, p.occurred_at) with ordinality
             as e (aggregate_id, version, occurred_at, place)
     where not exists (
       select 1 from unnest($4::bigint[], $5::uuid[], $6::int[]) as done (seq, aggregate_id, version)
        where done.seq = p.seq and done.aggregate_id = e.aggregate_id and done.version = e.version))
   where p.seq = any($4::bigint[]) and exists (select from fence)
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

/** How many events wait, and for how long the oldest has: of each row its first event tells. */
export const COUNT_PENDING: Statement = {
  name: "relay.count_pending",
  text: `select coalesce(sum(cardinality(versions)), 0)::int as pending,
       coalesce(extract(epoch from clock_timestamp() - min(occurred_at[1])), 0)::float8 as "oldestSeconds"
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
  text: `select coalesce(${OLDEST_WAITING}, clock_timestamp()) - interval '1 minute' as "publishedBeforeMs"`,
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
 * Notes events from a moment on as pending again, and from the oldest on that still waits: what was pending makes way,
 * so that each event is noted once. They get numbers below all others, in the order of their time, so that what is new
 * is published after what is old. The versions of an aggregate stay in order whatever their times say.
 */
export const PEND_AGAIN: Statement = {
  name: PLANNED_EACH_TIME,
  text: `with moment as materialized (
  select least(to_timestamp($1::float8 / 1000), ${OLDEST_WAITING}) as at
), waiting as (
  delete from outbox_pending
), event as (
  select o.aggregate_id, o.version, o.occurred_at,
         max(o.occurred_at) over (partition by o.aggregate_id order by o.version) as latest
    from outbox o
   where o.occurred_at >= (select at from moment)
), numbered as (
  select aggregate_id, version, occurred_at,
         row_number() over (order by latest desc, aggregate_id desc, version desc) as back
    from event
), again as (
  insert into outbox_pending (seq, aggregate_ids, versions, occurred_at)
  select (select coalesce(least(min(seq), 0), 0) from outbox_pending) - (back - 1) / ${NOTED_TOGETHER} - 1,
         array_agg(aggregate_id order by back desc), array_agg(version order by back desc),
         array_agg(occurred_at order by back desc)
    from numbered group by (back - 1) / ${NOTED_TOGETHER}
)
select count(*)::int as events from event`,
};

/**
 * Makes the partitions of the days ahead and drops those that are older than the stream's events, none of which still
 * waits to be published.
 */
export const KEEP_PARTITIONS: Statement = {
  name: PLANNED_EACH_TIME,
  text: `select ensure_day_partitions('outbox', $1) as made,
       drop_day_partitions('outbox', greatest($2 * interval '1 day',
         clock_timestamp() - ${OLDEST_WAITING} + interval '1 day')) as dropped`,
};
