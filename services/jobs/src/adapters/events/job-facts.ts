import { APPEND_OUTBOX, type OutboxRow, outboxColumns } from "@orrery/mesh/outbox/outbox";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import type { Change, Facts } from "../../application/ports.ts";
import { type EnvelopeFrame, envelopeJson, eventType } from "./event-json.ts";

/** Writes the events of transitions into the outbox, in the transaction of their cause. */
export function createJobFacts(frame: EnvelopeFrame, clock: Clock): Facts {
  return {
    appendAll: async (tx, changes) => {
      await tx.query(APPEND_OUTBOX, outboxColumns(changes.map((change) => outboxRow(change, frame, clock))));
    },
  };
}

function outboxRow(change: Change, frame: EnvelopeFrame, clock: Clock): OutboxRow {
  const { job, fact, occurredMs } = change;
  const eventId = uuidV7(clock);
  return {
    aggregateId: job.id,
    aggregateVersion: job.version,
    eventId,
    eventType: eventType(fact),
    subject: `${eventType(fact)}.${shardOf(job.id)}`,
    occurredAtMs: occurredMs,
    payload: envelopeJson(change, eventId, frame),
    traceparent: job.traceparent,
    projectId: job.project,
  };
}

/** 0 to 15: the last digit of the id, which a UUIDv7 draws evenly. */
export const shardOf = (id: string): number => Number.parseInt(id.slice(-1), 16);
