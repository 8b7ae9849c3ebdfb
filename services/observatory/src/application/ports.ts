import type { Queue } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import type { Worker } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import type { OnBehalf } from "@orrery/mesh/transport/route";
import type { ListOrder, Position } from "../domain/list-order.ts";
import type { Kind, Projection } from "../domain/projection.ts";
import type { Filter } from "../domain/query/filter.ts";
import type { SearchKeys } from "../domain/search-keys.ts";
import type { Span } from "../domain/span.ts";

/** What became of one projection. A rejected one can never be stored; one to retry may be, later. */
export type ApplyOutcome = "done" | "retry" | { readonly rejected: string };

/** A job, a mission or an alert as it was stored. */
export interface StoredDocument {
  readonly id: string;
  readonly version: number;
  /** ProtoJSON without input and output. */
  readonly body: string;
}

/** A document in a list, with the place from which the list goes on after it. */
export interface ListedDocument extends StoredDocument {
  readonly position: Position;
}

/** An event as it was stored. */
export interface StoredEvent {
  readonly eventId: string;
  readonly aggregateId: string;
  readonly version: number;
  readonly envelope: string;
}

/** Which documents to find, in which order, from where on. */
export interface Search {
  readonly kind: Kind;
  readonly project: string;
  readonly filter: Filter;
  readonly order: ListOrder;
  /** The list goes on after this place; from its beginning unless set. */
  readonly after: Position | undefined;
  /** 1..5,000. */
  readonly limit: number;
  /** The project that asks, where it is another one than is asked about. */
  readonly asker?: string;
  /** Ended when nobody waits for the answer any more: what has not been begun by then need not be. */
  readonly signal?: AbortSignal;
}

/** Which events to find, from where on. */
export interface EventSearch {
  readonly project: string;
  readonly filter: Filter;
  /** Only events whose id sorts after this text. */
  readonly after: string;
  /** 1..1,000. */
  readonly limit: number;
  /** Whether everybody else goes first, however long that takes: nobody looks at a page that waits for it. */
  readonly yields?: boolean;
  /** Ended when nobody waits for the answer any more: what has not been begun by then need not be. */
  readonly signal?: AbortSignal;
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
  /** The same of missions. */
  readonly missions: ReadonlyMap<string, number>;
  /** The most frequent first, at most 10. */
  readonly failures: readonly FailureGroup[];
}

/** How large the store is, all projects together. */
export interface StoreSize {
  readonly documents: number;
  readonly bytes: number;
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

  /** Finds documents; at most `limit`, in `order`. */
  search(search: Search): Promise<readonly ListedDocument[]>;

  /** Counts the documents that fit, and stops counting at `atMost`. */
  count(search: Pick<Search, "kind" | "project" | "filter" | "signal">, atMost: number): Promise<number>;

  /** The document as far as it is searchable. */
  find(kind: Kind, project: string, id: string): Promise<StoredDocument | undefined>;

  /** The events of an aggregate after a version, in the order of their versions. */
  history(
    project: string,
    id: string,
    page: { readonly afterVersion: number; readonly limit: number },
  ): Promise<readonly StoredEvent[]>;

  /** How many of the versions 1 to `version` of an aggregate have their event here (D3). */
  countVersions(project: string, id: string, version: number): Promise<number>;

  /** Finds events; at most `limit`, in the order of their ids. */
  searchEvents(search: EventSearch): Promise<readonly StoredEvent[]>;

  /**
   * Counts a project's jobs and missions by status, and groups its failures.
   *
   * @param signal - ended when nobody waits for the answer any more
   */
  summary(project: string, signal?: AbortSignal): Promise<ProjectSummary>;

  /** How large the store is; deleted documents that still take room count in its bytes. */
  size(): Promise<StoreSize>;

  /** Lets go of the store; nothing may be asked after that. */
  close(): Promise<void>;
}

/** Keeps the spans of traces for a while, within bounds: the oldest trace goes first. */
export interface TraceStore {
  /**
   * Keeps spans; one that is there already is kept once.
   *
   * @returns how many had no room in their trace
   * @throws Fault `DEPENDENCY_UNAVAILABLE` (retryable) while the store cannot be used
   */
  add(spans: readonly Span[]): Promise<number>;
  /** What is kept of a trace; `whole` unless some of it had no room, or none of it is there. */
  read(traceId: string): Promise<{ readonly spans: readonly Span[]; readonly whole: boolean }>;
  close(): void;
}

/** How far the streams of events have been projected, by all processes together. */
export interface StreamProgress {
  /** The store's generation that is projected into; undefined while it is not known. */
  generation(): string | undefined;
  /**
   * One state for each stream that there is.
   *
   * @throws Error while the broker is away, or nothing projects yet
   */
  read(): Promise<readonly StreamState[]>;
}

/** What the broker says of one stream and of those who project it. */
export interface StreamState {
  readonly stream: string;
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

/** The first workers of a project by name, and how many it has in all. */
interface WorkerList {
  readonly workers: readonly Worker[];
  readonly totalSize: number;
}

/** What the jobs service knows of queues and workers, which the read model does not hold. */
export interface JobsPeer {
  /** @throws Fault `DEPENDENCY_UNAVAILABLE` (retryable) while the service is away */
  listQueues(askedFor: AskedFor): Promise<readonly Queue[]>;
  /** @throws Fault `DEPENDENCY_UNAVAILABLE` (retryable) while the service is away */
  listWorkers(askedFor: AskedFor): Promise<WorkerList>;
}
