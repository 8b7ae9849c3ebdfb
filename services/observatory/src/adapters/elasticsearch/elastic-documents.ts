import type { EventDocument, JobDocument } from "../../domain/projection.ts";
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

export function jobDocument(job: JobDocument): ElasticDocument {
  const { project, id, version, body, failure } = job;
  return { ...keysOf(job.keys), project, id, version, body, ...(failure === undefined ? {} : { failure }) };
}

export function eventDocument(event: EventDocument): ElasticDocument {
  const { project, jobId, version, eventId, envelope } = event;
  return { ...keysOf(event.keys), project, id: jobId, version, eventId, envelope };
}

export function jobKey(project: string, id: string): string {
  return `${project}:${id}`;
}

export function eventKey({ project, jobId, version }: EventDocument): string {
  return `${project}:${jobId}:${version}`;
}
