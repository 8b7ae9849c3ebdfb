import type { SearchKeys } from "./search-keys.ts";

/**
 * A job as its newest event left it, ready to be stored and found.
 *
 * D1: a document is overwritten whole, and only by a higher version of its job, so any order of events and
 * any duplicate come to the same. D2: input and output are not in it; they stay in the event that brought
 * them.
 */
export interface JobDocument {
  readonly project: string;
  readonly id: string;
  readonly version: number;
  readonly keys: SearchKeys;
  /**
   * Task and error type of a job that FAILED, as a JSON array of two; absent otherwise. What failures are
   * grouped by.
   */
  readonly failure: string | undefined;
  /** The job's ProtoJSON without input and output. Opaque to the read model. */
  readonly body: string;
}

/** One event about a job. Never changed once written: the same job and version bring the same event. */
export interface EventDocument {
  readonly project: string;
  readonly jobId: string;
  readonly version: number;
  readonly eventId: string;
  /** Those of the job after the event, and `event`, its name. */
  readonly keys: SearchKeys;
  /** The envelope as it was published. Opaque to the read model. */
  readonly envelope: string;
}

/** What one event changes in the read model. */
export interface Projection {
  readonly job: JobDocument;
  readonly event: EventDocument;
}

/** Of each job the newest document alone: what a batch has to write. Events are kept all. */
export function newestOf(batch: readonly Projection[]): readonly JobDocument[] {
  const newest = new Map<string, JobDocument>();
  for (const { job } of batch) {
    const known = newest.get(job.id);
    if (known === undefined || known.version < job.version) newest.set(job.id, job);
  }
  return [...newest.values()];
}
