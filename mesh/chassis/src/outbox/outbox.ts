import { jsonSequence, jsonTexts } from "../postgres/json-sequence.ts";
import type { Statement } from "../postgres/pool.ts";

/** One event, as it is written in the transaction of its cause. */
export interface OutboxRow {
  /** A UUID. */
  readonly aggregateId: string;
  /** 1, 2, 3 without a gap, given under the row lock of the aggregate. */
  readonly aggregateVersion: number;
  /** A UUID. */
  readonly eventId: string;
  /** As in `orrery.events.v1.<context>.<Event>`. */
  readonly eventType: string;
  /** Where it is published: the event type and a shard. */
  readonly subject: string;
  /** Milliseconds since the epoch, by the database's clock. */
  readonly occurredAtMs: number;
  /** The whole envelope as JSON text, published byte for byte; or what the relay's `render` makes it of. */
  readonly payload: string;
  /** Empty where `render` knows it. */
  readonly traceparent: string;
  readonly projectId: string;
}

/** The shard of an aggregate's subjects, 0 to 15: the last digit of its id, which a UUIDv7 draws evenly. */
export const shardOf = (id: string): number => Number.parseInt(id.slice(-1), 16);

/** How many events one row of `outbox_pending` notes: as many as fit in it without being stored apart (2 kB). */
export const NOTED_TOGETHER = 50;

/**
 * Writes events, and notes them as not yet published, in the order given. Give the values of `outboxColumns`,
 * and at most a thousand rows. Several versions of one aggregate stand in growing order.
 *
 * Both inserts are one statement: an event without its note would never be published.
 */
export const APPEND_OUTBOX: Statement = {
  name: "outbox.append",
  text: `with event as (
  select aggregate_id, version, id, event_type, subject, to_timestamp(occurred_at_ms / 1000) as occurred_at, payload,
         traceparent, project_id, ord
    from unnest($1::uuid[], $2::int[], $3::uuid[], ${jsonTexts("$4")}, ${jsonTexts("$5")}, $6::float8[],
                ${jsonTexts("$7")}, ${jsonTexts("$8")}, ${jsonTexts("$9")}) with ordinality
           as e (aggregate_id, version, id, event_type, subject, occurred_at_ms, payload, traceparent, project_id, ord)
), written as (
  insert into outbox (aggregate_id, version, id, event_type, subject, occurred_at, payload, traceparent, project_id)
  select aggregate_id, version, id, event_type, subject, occurred_at, payload, coalesce(traceparent, ''),
         coalesce(project_id, '')
    from event
)
insert into outbox_pending (aggregate_ids, versions, occurred_at)
select array_agg(aggregate_id order by ord), array_agg(version order by ord), array_agg(occurred_at order by ord)
  from event group by (ord - 1) / ${NOTED_TOGETHER} order by (ord - 1) / ${NOTED_TOGETHER}`,
};

/** The values of APPEND_OUTBOX: one for each column. */
export function outboxColumns(rows: readonly OutboxRow[]): unknown[] {
  return [
    `{${rows.map((row) => row.aggregateId).join()}}`,
    `{${rows.map((row) => row.aggregateVersion).join()}}`,
    `{${rows.map((row) => row.eventId).join()}}`,
    jsonSequence(rows.map((row) => row.eventType)),
    jsonSequence(rows.map((row) => row.subject)),
    `{${rows.map((row) => row.occurredAtMs).join()}}`,
    jsonSequence(rows.map((row) => row.payload)),
    jsonSequence(rows.map((row) => row.traceparent)),
    jsonSequence(rows.map((row) => row.projectId)),
  ];
}

/** An event as it is stored. */
export type StoredEvent = Omit<OutboxRow, "projectId" | "aggregateVersion" | "eventId"> & {
  readonly id: string;
  readonly version: number;
};

/** What is published of an event. */
export interface RenderedEvent {
  /** The whole envelope as JSON text. */
  readonly envelope: string;
  readonly traceparent: string;
}

/**
 * Makes envelopes of what is stored, for a service that stores less: what an event shares with its aggregate need not
 * be written with each of them. The same event gives the same text whenever it is asked for.
 *
 * @returns one for each event, in order; absent where the aggregate is gone, so that nothing can be told of it any more
 */
export type RenderEvents = (
  events: readonly StoredEvent[],
) => Promise<readonly (RenderedEvent | undefined)[]>;

/** The stored text is the envelope. */
export const renderAsStored: RenderEvents = (events) =>
  Promise.resolve(events.map(({ payload, traceparent }) => ({ envelope: payload, traceparent })));
