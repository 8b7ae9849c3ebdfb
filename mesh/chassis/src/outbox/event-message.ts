import type { OutMessage } from "../messaging/publisher.ts";
import type { RenderedEvent, StoredEvent } from "./outbox.ts";

/**
 * One event as a message: the envelope byte for byte, and around it what a consumer can know without reading
 * it.
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/nats-protocol-binding.md (binary mode)
 */
export function eventMessage(event: StoredEvent, rendered: RenderedEvent, service: string): OutMessage {
  return {
    subject: event.subject,
    msgId: `${event.aggregateId}:${event.version}`,
    headers: {
      "ce-specversion": "1.0",
      "ce-id": event.id,
      "ce-source": `orrery/${service}`,
      "ce-type": event.eventType,
      "ce-subject": event.aggregateId,
      "ce-time": new Date(event.occurredAtMs).toISOString(),
      "content-type": "application/json",
      traceparent: rendered.traceparent,
    },
    data: rendered.envelope,
  };
}
