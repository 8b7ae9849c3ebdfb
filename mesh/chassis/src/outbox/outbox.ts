import { jsonSequence, jsonTexts } from "../postgres/json-sequence.ts";
import type { Statement } from "../postgres/pool.ts";

/** One event, as it is written in the transaction of its cause. */
export interface OutboxRow {
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
  /** The whole envelope as JSON text, published byte for byte. */
  readonly payload: string;
  readonly traceparent: string;
  readonly projectId: string;
}

/**
 * Writes events, and notes each as not yet published, in the order given. Give the values of `outboxColumns`,
 * and at most a thousand rows. Several versions of one aggregate stand in growing order.
 *
 * Both inserts are one statement: an event without its note would never be published.
 */
export const APPEND_OUTBOX: Statement = {
  name: "outbox.append",
  text: `with event as (
  select * from unnest($1::text[], $2::int[], $3::uuid[], ${jsonTexts("$4")}, ${jsonTexts("$5")}, $6::float8[],
                       ${jsonTexts("$7")}, $8::text[], $9::text[]) with ordinality
           as e (aggregate_id, version, id, event_type, subject, occurred_at_ms, payload, traceparent, project_id, ord)
), written as (
  insert into outbox (aggregate_id, version, id, event_type, subject, occurred_at, payload, traceparent, project_id)
  select aggregate_id, version, id, event_type, subject, to_timestamp(occurred_at_ms / 1000), payload, traceparent,
         project_id
    from event
)
insert into outbox_pending (aggregate_id, aggregate_version, occurred_at)
select aggregate_id, version, to_timestamp(occurred_at_ms / 1000) from event order by ord`,
};

/** The values of APPEND_OUTBOX: one for each column. */
export function outboxColumns(rows: readonly OutboxRow[]): unknown[] {
  return [
    rows.map((row) => row.aggregateId),
    rows.map((row) => row.aggregateVersion),
    rows.map((row) => row.eventId),
    jsonSequence(rows.map((row) => row.eventType)),
    jsonSequence(rows.map((row) => row.subject)),
    rows.map((row) => row.occurredAtMs),
    jsonSequence(rows.map((row) => row.payload)),
    rows.map((row) => row.traceparent),
    rows.map((row) => row.projectId),
  ];
}
