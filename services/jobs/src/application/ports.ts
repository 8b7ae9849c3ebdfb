import type { KeyedRequest, KeyState } from "@orrery/mesh/idempotency/keys";
import type { EventPosition, PublishedEvent } from "@orrery/mesh/outbox/stored-events";
import type { Transaction, TransactionLimits } from "@orrery/mesh/postgres/pool";
import type { HeldJob } from "../domain/attempt-decisions.ts";
import type { Blocked, Surroundings } from "../domain/blocked.ts";
import type { Attempt, Job, JobTerms, Moved, ReadyState, Transition } from "../domain/job.ts";
import type { FactName } from "../domain/job-state.ts";
import type { Lease } from "../domain/lease.ts";
import type { Candidate, QueueLimits, QueueUse } from "../domain/queue-limits.ts";

/** Runs work in one transaction; see Pool.transaction of the chassis. */
export type InTransaction = <T>(
  work: (tx: Transaction) => Promise<T>,
  limits?: TransactionLimits,
) => Promise<T>;

/** Who asks, as the gateway vouches for it. */
export interface Caller {
  readonly project: string;
  readonly principal: string;
  readonly correlationId: string;
  readonly traceparent: string;
}

/** A worker's call. Without a project it is the platform's own worker, which serves all of them. */
export interface WorkCaller {
  readonly project: string | undefined;
  readonly principal: string;
}

/** A transition with the texts that its event, or the job's row, needs besides. */
export interface Change extends Transition {
  /** The JSON that the job is given: with its first transition only. */
  readonly inputText?: string | undefined;
  /** The JSON that the job returned: with its success only. */
  readonly outputText?: string | undefined;
  /** Who submitted it: with its first transition only. */
  readonly principal?: string | undefined;
}

/** A job with everything that a reader is told. */
export interface JobView {
  readonly job: Job;
  readonly inputText: string | undefined;
  readonly outputText: string | undefined;
  readonly blocked: Blocked | undefined;
}

/** A grant as the worker gets it: `job.attempt` is the epoch of its lease. */
export interface Grant {
  readonly job: ReadyState;
  readonly inputText: string | undefined;
  readonly leaseExpireMs: number;
}

/** A job that can be granted, with its input. */
export interface ReadyJob {
  readonly job: ReadyState;
  readonly inputText: string | undefined;
  readonly inputBytes: number;
}

/** What a worker serves. */
export interface Service {
  readonly project: string | undefined;
  readonly tasks: readonly string[];
  /** All queues where none is named. */
  readonly queues: readonly string[];
}

/** What of the ready jobs to look at. */
interface ReadyScope extends Service {
  /** How many jobs at most. */
  readonly limit: number;
  /** How many bytes of input in all at most, the first job aside. */
  readonly inputBytes: number;
}

/** A queue with limits that this transaction has locked, and what of it is in use. */
export interface LockedQueue {
  readonly project: string;
  readonly name: string;
  readonly limits: QueueLimits;
  readonly use: QueueUse;
}

/** A new lease to write. */
export interface NewLease {
  readonly transition: Transition<ReadyState> & { readonly attempt: Attempt };
  readonly requestId: string;
  readonly leaseExpireMs: number;
}

/** A worker's word that an attempt succeeded. */
export interface Success {
  readonly jobId: string;
  readonly epoch: number;
  readonly digest: string;
  readonly by: WorkCaller;
  readonly outputText: string | undefined;
}

/** What became due. */
export type DueKind = "promotion" | "expiry" | "attempt";

/**
 * The authoritative store of jobs, attempts and leases. Everything is set-based; rows are locked in the order
 * of their ids.
 */
export interface Jobs {
  /** Writes new jobs, with what makes them ready, due or expiring. */
  insertAll(tx: Transaction, changes: readonly Change[]): void;
  /**
   * Locks jobs, and reads them with their open leases.
   *
   * @returns by job id, without attempts; unknown ids are absent. `nowMs` is the database's clock after the
   *   locks were taken
   */
  lockAll(
    tx: Transaction,
    refs: readonly { jobId: string }[],
  ): Promise<{ held: Map<string, HeldJob>; nowMs: number }>;
  /** As `lockAll`, leaving out jobs that somebody else has locked; the leases are locked as well. */
  lockFree(tx: Transaction, ids: readonly string[]): Promise<{ held: Map<string, HeldJob>; nowMs: number }>;
  /** The attempts named, as they are now; for words that no open lease fits. */
  attemptsAt(tx: Transaction, refs: readonly { jobId: string; epoch: number }[]): Promise<readonly Attempt[]>;
  /**
   * Writes transitions of jobs that this transaction has locked. @throws Error when one was not at the
   * version before
   */
  saveAll(tx: Transaction, changes: readonly Change[]): Promise<void>;
  /**
   * Ends attempts whose leases are open and held by whoever says so: lock, decision and save in one statement, for
   * successes, of which there are by far the most. Its guard is the domain's `hear`, which a test holds it equal to.
   *
   * @param successes - at most one for each job
   * @returns the steps taken, in any order; for each success without one the domain has to say why
   */
  succeedAll(tx: Transaction, successes: readonly Success[]): Promise<readonly Moved[]>;
  /** The first ready jobs of queues without limits, locked, in the order in which they are to start. */
  readyUnlimited(tx: Transaction, scope: ReadyScope): Promise<{ ready: readonly ReadyJob[]; nowMs: number }>;
  /**
   * Locks the queues with limits that have ready jobs, leaving out those that somebody else grants from, and
   * counts their use.
   */
  lockLimitedQueues(tx: Transaction, service: Service): Promise<readonly LockedQueue[]>;
  /**
   * The first candidates of locked queues, in the order in which they are to start, without those whose key
   * is full.
   */
  candidates(
    tx: Transaction,
    scope: Service & { limit: number },
    queues: readonly LockedQueue[],
  ): Promise<readonly (Candidate & Pick<ReadyJob, "inputBytes">)[]>;
  /** Locks the candidates that are still free. */
  readyById(tx: Transaction, ids: readonly string[]): Promise<{ ready: readonly ReadyJob[]; nowMs: number }>;
  /** Writes grants: jobs, attempts, leases; takes the jobs off the ready ones. */
  saveGrants(tx: Transaction, leases: readonly NewLease[]): void;
  /** Counts starts against the rate of queues. */
  noteStarts(
    tx: Transaction,
    starts: readonly { project: string; queue: string; starts: number; atMs: number }[],
  ): Promise<void>;
  /**
   * The live leases that an earlier request with the same id was granted; holds the id until the transaction
   * ends.
   */
  leasedBefore(
    tx: Transaction,
    request: { project: string | undefined; principal: string; requestId: string },
  ): Promise<readonly Grant[]>;
  /** Jobs for which something is due by the database's clock, the longest overdue first. */
  due(kind: DueKind, limit: number): Promise<readonly string[]>;
  /** Milliseconds until the next promotion or expiry, by the database's clock; absent where nothing waits. */
  nextDueInMs(): Promise<number | undefined>;
  /** Whether any queue that is not paused has a limit. */
  anyLimitedQueue(): Promise<boolean>;
  /** Reads one job of a project. */
  read(project: string, id: string, tx?: Transaction): Promise<Omit<JobView, "blocked"> | undefined>;
  /** What is around a QUEUED job. */
  surroundings(job: Job, tx?: Transaction): Promise<Surroundings | undefined>;
  /** All attempts of a job, the first one first; absent where the project has no such job. */
  attempts(project: string, id: string): Promise<readonly Attempt[] | undefined>;
}

/** One lease that a worker wants to keep, or names. */
export interface LeaseClaim extends WorkCaller {
  readonly jobId: string;
  readonly epoch: number;
}

/** What became of a heartbeat for one lease. */
export type Beat =
  | { readonly ok: true; readonly leaseExpireMs: number; readonly cancelRequested: boolean }
  | { readonly ok: false; readonly reason: "LEASE_LOST" | "LEASE_FOREIGN" | "NOT_FOUND" };

/** Leases apart from their jobs: heartbeats move nothing but their end. */
export interface Leases {
  /** Prolongs leases by 15 s from now. One outcome for each claim, in order. */
  prolong(claims: readonly LeaseClaim[]): Promise<readonly Beat[]>;
  /** The open leases whose job is to be cancelled. */
  cancelRequested(): Promise<readonly Pick<Lease, "jobId" | "epoch">[]>;
}

/** Facts commit with their cause: appending demands the transaction. */
export interface Facts {
  /** Writes one event for each step, into the outbox. */
  appendAll(tx: Transaction, steps: readonly Moved[]): void;
}

/** An event as the store keeps it. */
export interface KeptEvent {
  readonly id: string;
  readonly jobId: string;
  readonly version: number;
  readonly fact: FactName;
  readonly occurredMs: number;
  /** What the transition could change, as JSON. */
  readonly payload: string;
}

/** What never changes of an event's job, with its input and output where the event carries them. */
export interface EventTerms {
  readonly terms: Omit<JobTerms, "attemptsSubmitted">;
  readonly inputText: string | undefined;
  readonly outputText: string | undefined;
}

/** The store of events, and of what they tell besides. */
export interface EventStore extends Pick<JobEvents, "versions"> {
  /** As `JobEvents.after`. */
  after(
    positions: readonly { jobId: string; version: number }[],
    limit: number,
  ): Promise<readonly KeptEvent[]>;
  /**
   * The terms of each event's job, in order; absent where the job is gone.
   *
   * @param limitBytes - of the input and of the output that are read with the event that carries them
   */
  termsOf(
    events: readonly Pick<KeptEvent, "jobId" | "version" | "fact">[],
    limitBytes: number,
  ): Promise<readonly (EventTerms | undefined)[]>;
}

/** Events of jobs, from the store. */
export interface JobEvents {
  /** The events of each job after its version, at most `limit` for each job, by job and version. */
  after(positions: readonly EventPosition[], limit: number): Promise<readonly PublishedEvent[]>;
  /** Where jobs stand now: the current version, and whether it is the job's end. Unknown ids are absent. */
  versions(ids: readonly string[]): Promise<ReadonlyMap<string, { version: number; ended: boolean }>>;
}

/** Idempotency keys; they commit with what they stand for. */
export interface IdempotencyKeys {
  /**
   * Takes each key for this transaction, or finds out who has it. Never waits for another transaction.
   *
   * @returns one state for each request, in order
   */
  claimAll(tx: Transaction, requests: readonly KeyedRequest[]): Promise<readonly KeyState[]>;
  /** Stores the answers of accepted requests, for 24 hours. */
  storeAll(tx: Transaction, answers: readonly (KeyedRequest & { response: Uint8Array })[]): void;
}

/** A queue as its readers see it. */
export interface QueueView {
  readonly project: string;
  readonly name: string;
  readonly paused: boolean;
  readonly limits: QueueLimits;
  readonly depth: Readonly<Record<string, number>>;
  readonly oldestWaitSeconds: number;
}

/** What of a queue to set; absent fields stay as they are. */
export interface QueueChange {
  readonly paused?: boolean;
  readonly concurrency?: number;
  readonly concurrencyPerKey?: number;
  readonly rateLimit?: number;
  readonly ratePeriodMs?: number;
}

/** A queue of a project, and a task that it is asked for. */
export interface Pair {
  readonly project: string;
  readonly queue: string;
  readonly task: string;
}

/** Queues: their limits, and what waits in them. */
export interface Queues {
  /** Makes sure that queues, and the tasks that they are asked for, are known. */
  register(tx: Transaction, entries: readonly Pair[]): void;
  /** Which of these are new, and more than `limit` in their project with those that it has. */
  withoutRoom(tx: Transaction, pairs: readonly Pair[], limit: number): Promise<readonly Pair[]>;
  /** Sets what the change names, and makes the queue if it is new. */
  change(tx: Transaction, project: string, name: string, change: QueueChange): Promise<void>;
  /** All queues of a project, by name. */
  list(project: string): Promise<readonly QueueView[]>;
  /** One queue of a project; absent where nothing has named it yet. */
  read(project: string, name: string, tx?: Transaction): Promise<QueueView | undefined>;
  /** Jobs by queue name and status over all projects, and the longest wait of a ready job. */
  depths(): Promise<readonly { queue: string; status: string; jobs: number; oldestWaitSeconds: number }[]>;
}

/** A worker as it was last seen. */
export interface WorkerView {
  readonly name: string;
  readonly tasks: readonly string[];
  readonly queues: readonly string[];
  readonly slots: number;
  readonly leases: number;
  readonly seenMs: number;
  readonly draining: boolean;
}

/** The first workers of a project by name, and how many it has in all. */
export interface WorkerList {
  readonly workers: readonly WorkerView[];
  readonly total: number;
}

/** What a worker said of itself. Absent fields stay as they are. */
export interface Sighting {
  readonly project: string | undefined;
  readonly name: string;
  readonly tasks?: readonly string[];
  readonly queues?: readonly string[];
  readonly slots?: number;
  readonly draining: boolean;
}

/** Who was seen asking for work. */
export interface Workers {
  /** Writes down when workers were seen, and what they said of themselves. */
  seen(sightings: readonly Sighting[]): Promise<void>;
  /** The workers of a project, and the platform's, seen within the last minute, by name: what one answer takes. */
  list(project: string): Promise<WorkerList>;
  /** Forgets workers that were not seen for ten minutes. */
  forget(): Promise<void>;
}

/** Keeps the partitions of the days and months ahead, and drops those past their time. */
export interface Partitions {
  /** Safe to call at any time, and by several replicas at once. */
  extend(): Promise<void>;
}

/** The ids of jobs that missions decided on before they were submitted. */
export interface StepIds {
  /** Holds ids until the transaction ends: whoever else submits them waits, and then finds their jobs. */
  hold(tx: Transaction, ids: readonly string[]): Promise<void>;
}
