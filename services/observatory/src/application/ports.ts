import type { Queue } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import type { Worker } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import type { OnBehalf } from "@orrery/mesh/transport/route";
import type { JobOrder, Position } from "../domain/job-order.ts";
import type { Projection } from "../domain/projection.ts";
import type { Filter } from "../domain/query/filter.ts";
import type { SearchKeys } from "../domain/search-keys.ts";

/** What became of one projection. A rejected one can never be stored; one to retry may be, later. */
export type ApplyOutcome = "done" | "retry" | { readonly rejected: string };

/** A job as it was stored. */
export interface StoredJob {
  readonly id: string;
  readonly version: number;
  /** ProtoJSON without input and output. */
  readonly body: string;
}

/** A job in a list, with the place from which the list goes on after it. */
export interface ListedJob extends StoredJob {
  readonly position: Position;
}

/** An event as it was stored. */
export interface StoredEvent {
  readonly eventId: string;
  readonly jobId: string;
  readonly version: number;
  readonly envelope: string;
}

/** Which jobs to find, in which order, from where on. */
export interface JobSearch {
  readonly project: string;
  readonly filter: Filter;
  readonly order: JobOrder;
  /** The list goes on after this place; from its beginning unless set. */
  readonly after: Position | undefined;
  /** 1..5,000. */
  readonly limit: number;
}

/** Which events to find, from where on. */
export interface EventSearch {
  readonly project: string;
  readonly filter: Filter;
  /** Only events whose id sorts after this text. */
  readonly after: string;
  /** 1..1,000. */
  readonly limit: number;
}

/** Failures that look alike. */
export interface FailureGroup {
  readonly task: string;
  readonly errorType: string;
  readonly count: number;
  /** When the latest of them ended, epoch milliseconds. */
  readonly lastEndMs: number;
}

/** A project in figures. */
export interface ProjectSummary {
  /** How many jobs are in each status, by its upper-case name; a status without jobs may be missing. */
  readonly jobs: ReadonlyMap<string, number>;
  /** The most frequent first, at most 10. */
  readonly failures: readonly FailureGroup[];
}

/** The state of the store itself. */
export interface StoreState {
  /** Made together with the store: another one means that everything has to be projected again. */
  readonly generation: string;
  /** Whether this process is the one that projects into it. */
  readonly writer: boolean;
}

/**
 * The read model behind every list and search. Two adapters implement it, and test/read-model.conformance.ts
 * holds them to the same answers.
 *
 * Every method throws Fault `DEPENDENCY_UNAVAILABLE` (retryable) while the store cannot be reached. Reads see
 * what was searchable when they began. Projects never see each other: each read takes one.
 */
export interface ReadModel {
  readonly name: "embedded" | "elasticsearch";

  /**
   * Makes the store if it is not there, or no longer; takes the writer's place if it is free. Cheap; called
   * often.
   */
  check(): Promise<StoreState>;

  /**
   * Stores projections; one outcome for each, in order. Safe to repeat and to reorder (D1). Stored is not yet
   * searchable: see `settle`.
   *
   * @param batch - 1..1,000
   */
  apply(batch: readonly Projection[]): Promise<readonly ApplyOutcome[]>;

  /** Returns once everything that any process stored before the call is searchable. */
  settle(): Promise<void>;

  /** Finds jobs; at most `limit`, in `order`. */
  searchJobs(search: JobSearch): Promise<readonly ListedJob[]>;

  /** Counts the jobs that fit, and stops counting at `atMost`. */
  countJobs(search: Pick<JobSearch, "project" | "filter">, atMost: number): Promise<number>;

  /** The job as far as it is searchable. */
  job(project: string, id: string): Promise<StoredJob | undefined>;

  /** The events of a job after a version, in the order of their versions. */
  history(
    project: string,
    jobId: string,
    page: { readonly afterVersion: number; readonly limit: number },
  ): Promise<readonly StoredEvent[]>;

  /** Finds events; at most `limit`, in the order of their ids. */
  searchEvents(search: EventSearch): Promise<readonly StoredEvent[]>;

  /** Counts a project's jobs by status, and groups its failures. */
  summary(project: string): Promise<ProjectSummary>;

  /** Forgets everything and begins a new generation. */
  reset(): Promise<void>;

  /** Lets go of the store; nothing may be asked after that. */
  close(): Promise<void>;
}

/** How far the stream of events has been projected, by all processes together. */
export interface StreamProgress {
  /** @throws Error while the broker is away, or nothing projects yet */
  read(): Promise<StreamState>;
}

/** What the broker says of the stream and of those who project it. */
export interface StreamState {
  /** The number of the newest event in the stream; 0 before the first. */
  readonly lastSequence: number;
  /** Every event up to this number is stored. */
  readonly doneSequence: number;
  /** How many events are not stored yet. */
  readonly behind: number;
}

/** An event as a watch sends it. */
export interface WatchedEvent {
  readonly eventId: string;
  readonly envelope: string;
}

/** An event as it was published a moment ago. */
export interface LiveEvent extends WatchedEvent {
  readonly project: string;
  readonly publishedMs: number;
  readonly keys: SearchKeys;
}

/** What is being published, for everybody who watches. */
export interface LiveEvents {
  /**
   * Hands every event to the listener, in the order of their publication, beginning at `sinceMs`, until
   * disposed of. `lost` means that events may have been missed and none will follow: subscribe again and fill
   * the gap.
   *
   * @returns `sinceMs`, a few seconds ago: nothing that was published from then on is left out
   */
  subscribe(
    listener: (event: LiveEvent | "lost") => void,
  ): Promise<Disposable & { readonly sinceMs: number }>;
}

/** For whom, and inside which trace, another service is asked. */
export interface AskedFor {
  readonly onBehalf: OnBehalf;
  readonly correlationId: string;
  readonly traceparent: string;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/** What the jobs service knows of queues and workers, which the read model does not hold. */
export interface JobsPeer {
  /** @throws Fault `DEPENDENCY_UNAVAILABLE` (retryable) while the service is away */
  listQueues(askedFor: AskedFor): Promise<readonly Queue[]>;
  /** @throws Fault `DEPENDENCY_UNAVAILABLE` (retryable) while the service is away */
  listWorkers(askedFor: AskedFor): Promise<readonly Worker[]>;
}
