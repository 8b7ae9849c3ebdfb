import type { JsonValue } from "@bufbuild/protobuf";
import { APPEND_OUTBOX, type OutboxRow, outboxColumns, shardOf } from "@orrery/mesh/outbox/outbox";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import type { Facts } from "../../application/ports.ts";
import type { Mission, Transition } from "../../domain/mission.ts";

/** How much of an input travels in an event, in bytes of JSON; what is larger stays in the store. */
export const PAYLOAD_LIMIT_BYTES = 32 * 1024;

/** What every envelope of this process has in common, and how a mission is written. */
export interface FactsFrame {
  readonly instance: string;
  readonly serviceVersion: string;
  /** The ProtoJSON of a mission as the contract has it. */
  readonly missionJson: (mission: Mission) => JsonValue;
}

const CONTRACT_VERSION = "1.0.0";
const PAYLOAD_VERSION = "1.0.0";
const EVENT_PREFIX = "orrery.events.v1.orchestrator.";
const BATCH_ROWS = 1_000;

/** Writes the events of transitions into the outbox, in the transaction of their cause. */
export function createMissionFacts(frame: FactsFrame, clock: Clock): Facts {
  return {
    appendAll: (tx, transitions) => {
      const rows = transitions.map((transition) => outboxRow(transition, frame, clock));
      for (let first = 0; first < rows.length; first += BATCH_ROWS) {
        tx.post(APPEND_OUTBOX, outboxColumns(rows.slice(first, first + BATCH_ROWS)));
      }
    },
  };
}

function outboxRow(transition: Transition, frame: FactsFrame, clock: Clock): OutboxRow {
  const { mission, fact, occurredMs } = transition;
  const eventId = uuidV7(clock);
  const eventType = EVENT_PREFIX + fact;
  return {
    aggregateId: mission.id,
    aggregateVersion: mission.version,
    eventId,
    eventType,
    subject: `${eventType}.${shardOf(mission.id)}`,
    occurredAtMs: occurredMs,
    payload: JSON.stringify(envelope(transition, { eventId, eventType }, frame)),
    traceparent: mission.traceparent,
    projectId: mission.project,
  };
}

function envelope(
  { mission, step, fact, occurredMs, word }: Transition,
  { eventId, eventType }: { eventId: string; eventType: string },
  { instance, serviceVersion, missionJson }: FactsFrame,
): JsonValue {
  const carriesInput = fact === "MissionCreated" && fits(mission.inputText);
  const told = { ...mission, inputText: carriesInput ? mission.inputText : undefined };
  return {
    contractVersion: CONTRACT_VERSION,
    version: PAYLOAD_VERSION,
    eventType,
    eventId,
    occurredAt: new Date(occurredMs).toISOString(),
    producer: { service: "orchestrator", instanceId: instance, version: serviceVersion },
    aggregateId: mission.id,
    aggregateVersion: mission.version,
    correlationId: mission.correlationId,
    traceId: mission.traceparent.split("-")[1] ?? "",
    traceparent: mission.traceparent,
    idempotencyKey: `${mission.id}:${mission.version}`,
    projectId: mission.project,
    payload: { mission: missionJson(told), step, ...(word && { ...word }) },
  };
}

const fits = (text: string | undefined): boolean =>
  text !== undefined && Buffer.byteLength(text) <= PAYLOAD_LIMIT_BYTES;
