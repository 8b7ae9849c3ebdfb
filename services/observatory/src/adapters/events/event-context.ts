import type { JsonObject } from "../../domain/envelope-payload.ts";
import type { AggregateDocument, Kind } from "../../domain/projection.ts";
import type { SearchKeys } from "../../domain/search-keys.ts";

/** What is taken out of the payload of one kind of event. */
export interface EventPart extends Pick<AggregateDocument, "failure"> {
  /** The aggregate after the event, without input and output. */
  readonly after: JsonObject;
  readonly keys: SearchKeys;
  /** The step of a mission that the event is about. */
  readonly step?: string | undefined;
}

/** The events of one context: what they are called, and how they are read. */
export interface EventContext {
  readonly kind: Kind;
  /** The names of its events. */
  readonly names: ReadonlySet<string>;
  readonly part: (payload: JsonObject) => EventPart;
}
