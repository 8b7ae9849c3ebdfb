import type { RenderEvents } from "@orrery/mesh/outbox/outbox";
import type { EventStore, JobEvents, KeptEvent } from "../../application/ports.ts";
import { factOf } from "../../domain/job-state.ts";
import { envelopeJson, PAYLOAD_LIMIT_BYTES } from "./event-json.ts";
import { toldFrom } from "./event-payload.ts";

/** The events of jobs as they are published, for whoever asks for those of one job. */
export const createJobEvents = (store: EventStore): JobEvents => ({
  after: async (positions, limit) => {
    const asked = positions.map(({ aggregateId, version }) => ({ jobId: aggregateId, version }));
    const kept = await store.after(asked, limit);
    const rendered = await render(store, kept);
    return kept.flatMap(({ jobId, version, fact }, index) => {
      const event = rendered[index];
      return event === undefined
        ? []
        : [{ aggregateId: jobId, version, name: fact, envelope: event.envelope }];
    });
  },
  versions: store.versions,
});

/** What the relay publishes of stored events. */
export const renderOutbox =
  (store: EventStore): RenderEvents =>
  (events) =>
    render(
      store,
      events.map(({ id, aggregateId, version, eventType, occurredAtMs, payload }) => {
        const fact = factOf(eventType);
        return { id, jobId: aggregateId, version, fact, occurredMs: occurredAtMs, payload };
      }),
    );

async function render(store: EventStore, kept: readonly KeptEvent[]) {
  if (kept.length === 0) return [];
  const terms = await store.termsOf(kept, PAYLOAD_LIMIT_BYTES);
  return kept.map((event, index) => {
    const known = terms[index];
    return known && { envelope: envelopeJson(toldFrom(event, known)), traceparent: known.terms.traceparent };
  });
}
