import { create, type DescMessage, type JsonObject, toJson, toJsonString } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  AlertAcknowledgedSchema,
  AlertFiredSchema,
  AlertMutedSchema,
  AlertResolvedSchema,
} from "@orrery/contracts/gen/orrery/alerts/v1/alert_events_pb.js";
import type { Alert as WireAlert } from "@orrery/contracts/gen/orrery/alerts/v1/alert_pb.js";
import { EventEnvelopeSchema } from "@orrery/contracts/gen/orrery/events/v1/event_envelope_pb.js";
import { APPEND_OUTBOX, type OutboxRow, outboxColumns, shardOf } from "@orrery/mesh/outbox/outbox";
import { traceIdOf } from "@orrery/mesh/telemetry/trace";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import type { Facts } from "../../application/ports.ts";
import type { Alert, Transition } from "../../domain/alert.ts";
import type { FactName } from "../../domain/alert-state.ts";

/** What the events of this process are made with. */
export interface FactsOptions {
  readonly instance: string;
  readonly serviceVersion: string;
  readonly clock: Clock;
  /** Renders an alert as the contract has it. */
  readonly toWire: (alert: Alert) => WireAlert;
}

const EVENT_PREFIX = "orrery.events.v1.alerts.";
const CONTRACT_VERSION = "1.0.0";
const PAYLOAD_VERSION = "1.0.0";
/** Alerts are the platform's, and the same for every project. */
const PLATFORM = "_platform";
/** What one statement of the outbox takes. */
const MAX_ROWS = 1_000;

const PAYLOADS: Readonly<Record<FactName, DescMessage>> = {
  AlertFired: AlertFiredSchema,
  AlertAcknowledged: AlertAcknowledgedSchema,
  AlertMuted: AlertMutedSchema,
  AlertResolved: AlertResolvedSchema,
};

/** Writes the events of transitions into the outbox, in the transaction of their cause. */
export function createAlertFacts(options: FactsOptions): Facts {
  return {
    appendAll: (tx, steps) => {
      for (let from = 0; from < steps.length; from += MAX_ROWS) {
        const rows = steps.slice(from, from + MAX_ROWS).map((step) => outboxRow(step, options));
        tx.post(APPEND_OUTBOX, outboxColumns(rows));
      }
    },
  };
}

function outboxRow(step: Transition, options: FactsOptions): OutboxRow {
  const { alert, fact, occurredMs, cause = alert } = step;
  const eventId = uuidV7(options.clock);
  const eventType = EVENT_PREFIX + fact;
  return {
    aggregateId: alert.id,
    aggregateVersion: alert.version,
    eventId,
    eventType,
    subject: `${eventType}.${shardOf(alert.id)}`,
    occurredAtMs: occurredMs,
    payload: envelopeJson(step, { eventId, eventType }, options),
    traceparent: cause.traceparent,
    projectId: PLATFORM,
  };
}

/** The envelope of a transition, as it is stored and published. */
export function envelopeJson(
  { alert, fact, occurredMs, cause = alert }: Transition,
  { eventId, eventType }: { eventId: string; eventType: string },
  { instance, serviceVersion, toWire }: Omit<FactsOptions, "clock">,
): string {
  const schema = PAYLOADS[fact];
  const said = create(schema, { alert: toWire(alert) } as Record<string, unknown>);
  const envelope = create(EventEnvelopeSchema, {
    contractVersion: CONTRACT_VERSION,
    version: PAYLOAD_VERSION,
    eventType,
    eventId,
    occurredAt: timestampFromMs(Math.floor(occurredMs)),
    producer: { service: "alerts", instanceId: instance, version: serviceVersion },
    aggregateId: alert.id,
    aggregateVersion: alert.version,
    correlationId: cause.correlationId,
    traceId: traceIdOf(cause.traceparent),
    traceparent: cause.traceparent,
    idempotencyKey: `${alert.id}:${alert.version}`,
    projectId: PLATFORM,
    payload: toJson(schema, said, { alwaysEmitImplicit: true }) as JsonObject,
  });
  return toJsonString(EventEnvelopeSchema, envelope, { alwaysEmitImplicit: true });
}
