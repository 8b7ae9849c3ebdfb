import type { SearchKeys } from "./search-keys.ts";

/** What the read model holds documents of. */
export const KINDS = ["job", "mission", "alert"] as const;
export type Kind = (typeof KINDS)[number];

/** The project under which what belongs to the platform itself is kept; every project may see it. */
export const PLATFORM = "_platform";

/**
 * A job, a mission or an alert as its newest event left it, ready to be stored and found.
 *
 * D1: a document is overwritten whole, and only by a higher version of its aggregate, so any order of events
 * and any duplicate come to the same. D2: input and output are not in it; they stay in the event that brought
 * them. D3: it is whole once the events of all its versions are there, and what is read from events is given
 * out as whole only then.
 */
export interface AggregateDocument {
  readonly kind: Kind;
  readonly project: string;
  readonly id: string;
  readonly version: number;
  readonly keys: SearchKeys;
  /**
   * Task and error type of a job that FAILED, as a JSON array of two; absent otherwise. What failures are
   * grouped by.
   */
  readonly failure: string | undefined;
  /** Its ProtoJSON without input and output. Opaque to the read model. */
  readonly body: string;
}

/** One event. Never changed once written: the same aggregate and version bring the same event. */
export interface EventDocument {
  readonly project: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly eventId: string;
  /** Those of the aggregate after the event, and `event`, its name. */
  readonly keys: SearchKeys;
  /** The envelope as it was published. Opaque to the read model. */
  readonly envelope: string;
}

/** What one event changes in the read model. Events about alerts are in no list of events. */
export interface Projection {
  readonly document: AggregateDocument;
  readonly event: EventDocument | undefined;
}

/** Of each aggregate the newest document alone: what a batch has to write. Events are kept all. */
export function newestOf(batch: readonly Projection[]): readonly AggregateDocument[] {
  const newest = new Map<string, AggregateDocument>();
  for (const { document } of batch) {
    const known = newest.get(document.id);
    if (known === undefined || known.version < document.version) newest.set(document.id, document);
  }
  return [...newest.values()];
}

/** The events of a batch. */
export function eventsOf(batch: readonly Projection[]): readonly EventDocument[] {
  return batch.flatMap(({ event }) => (event === undefined ? [] : [event]));
}
