import type { AggregateDocument, EventDocument } from "../../domain/projection.ts";
import type { SearchKeys } from "../../domain/search-keys.ts";

/**
 * A document as Elasticsearch keeps it: search keys by their own names, and what is given back as it came.
 */
export interface ElasticDocument {
  readonly project: string;
  readonly id: string;
  readonly version: number;
  readonly body?: string;
  readonly failure?: string;
  readonly eventId?: string;
  readonly envelope?: string;
  readonly created?: number;
  readonly priority?: number;
  readonly started?: number;
  readonly finished?: number;
}

function keysOf({ keywords, numbers, labels, words }: SearchKeys) {
  return { ...keywords, ...numbers, labels, words };
}

export function aggregateDocument(document: AggregateDocument): ElasticDocument {
  const { project, id, version, keys, body, failure } = document;
  return { ...keysOf(keys), project, id, version, body, ...(failure === undefined ? {} : { failure }) };
}

export function eventDocument(event: EventDocument): ElasticDocument {
  const { project, aggregateId, version, eventId, envelope } = event;
  return { ...keysOf(event.keys), project, id: aggregateId, version, eventId, envelope };
}

export function documentKey({ project, id }: Pick<AggregateDocument, "project" | "id">): string {
  return `${project}:${id}`;
}

export function eventKey({ project, aggregateId, version }: EventDocument): string {
  return `${project}:${aggregateId}:${version}`;
}
