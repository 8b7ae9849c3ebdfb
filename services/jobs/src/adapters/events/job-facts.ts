import { APPEND_OUTBOX, type OutboxRow, outboxColumns, shardOf } from "@orrery/mesh/outbox/outbox";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import type { Facts } from "../../application/ports.ts";
import type { Moved } from "../../domain/job.ts";
import { eventType, type Producer } from "./event-json.ts";
import { payloadJson } from "./event-payload.ts";

/** Writes the events of transitions into the outbox, in the transaction of their cause. */
export function createJobFacts(producer: Producer, clock: Clock): Facts {
  const by = JSON.stringify(producer);
  return {
    appendAll: (tx, steps) => {
      tx.post(APPEND_OUTBOX, outboxColumns(steps.map((step) => outboxRow(step, by, clock))));
    },
  };
}

function outboxRow(step: Moved, producer: string, clock: Clock): OutboxRow {
  const { job, fact, occurredMs } = step;
  const type = eventType(fact);
  return {
    aggregateId: job.id,
    aggregateVersion: job.version,
    eventId: uuidV7(clock),
    eventType: type,
    subject: `${type}.${shardOf(job.id)}`,
    occurredAtMs: occurredMs,
    payload: payloadJson(step, producer),
    // Known to the job's row, from which the envelope is made.
    traceparent: "",
    projectId: job.project,
  };
}
