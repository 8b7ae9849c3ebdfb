import type { Transaction, TransactionLimits } from "@orrery/mesh/postgres/pool";
import type { JobEnd } from "../domain/decisions.ts";
import type { JobRole, Mission, Progress, Transition } from "../domain/mission.ts";
import type { MissionStatus } from "../domain/mission-state.ts";

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

/** A job of a mission whose end is still waited for, and what it takes to decide about its mission. */
export interface AwaitedJob {
  readonly jobId: string;
  readonly missionId: string;
  readonly valueBytes: number;
  /** The job's version at its last end that was taken in. */
  readonly seenVersion: number;
}

/** What of a list to read. */
export interface MissionPage {
  readonly project: string;
  readonly status: MissionStatus | undefined;
  /** Only those that were launched before this one. */
  readonly beforeId: string | undefined;
  readonly limit: number;
}

/** The authoritative store of missions and their steps. Rows are locked in the order of their ids. */
export interface Missions {
  /** Writes a new mission. */
  insert(tx: Transaction, mission: Mission): Promise<void>;
  /**
   * Locks missions, and reads them whole.
   *
   * @returns by id; unknown ids are absent. `nowMs` is the database's clock after the locks were taken
   */
  lockAll(tx: Transaction, ids: readonly string[]): Promise<{ held: Map<string, Mission>; nowMs: number }>;
  /** As `lockAll`, leaving out missions that somebody else has locked. */
  lockFree(tx: Transaction, ids: readonly string[]): Promise<{ held: Map<string, Mission>; nowMs: number }>;
  /**
   * Writes where missions stand that this transaction has locked, and what is to be done for them.
   *
   * @throws Error when one was not at the version before
   */
  saveAll(tx: Transaction, changes: readonly { before: Mission; progress: Progress }[]): Promise<void>;
  /** Reads one mission of a project. */
  read(project: string, id: string): Promise<Mission | undefined>;
  /** Reads missions of a project without inputs and outputs, the newest first. */
  page(asked: MissionPage): Promise<readonly Mission[]>;
  /** Missions that nobody has begun yet, the oldest first. */
  pending(limit: number): Promise<readonly { missionId: string; valueBytes: number }[]>;
  /** Missions over all projects that have not ended, by status. */
  countOpen(): Promise<ReadonlyMap<string, number>>;
  /** Where missions stand now: the current version, and whether it is the end. Unknown ids are absent. */
  versions(ids: readonly string[]): Promise<ReadonlyMap<string, { version: number; ended: boolean }>>;
}

/** An errand in hand: what is to be done about one job at the jobs service. */
export interface HeldErrand {
  readonly jobId: string;
  readonly missionId: string;
  readonly step: string;
  readonly role: JobRole;
  /** `look`: no end of it has come for too long. */
  readonly kind: "submit" | "cancel" | "retry" | "look";
  /** The job's version at its last end that was taken in: tells one retry from another. */
  readonly seenVersion: number;
  readonly task: string;
  readonly queue: string;
  readonly inputText: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly maxAttempts: number | undefined;
  /** In whose name the job runs. */
  readonly caller: Caller;
}

/** Errands: rows that are written with a decision, taken in hand by any replica, and done until they are done. */
export interface Errands {
  /** Takes errands that are due in hand for a while, leaving out those that somebody else has. */
  take(limit: number, holdMs: number): Promise<readonly HeldErrand[]>;
  /** Notes that errands are done; unless their end came meanwhile, their jobs are looked at after `lookInMs`. */
  done(errands: readonly HeldErrand[], lookInMs: number): Promise<void>;
  /** Gives errands back, to be taken again after a while. */
  giveBack(errands: readonly HeldErrand[], inMs: number): Promise<void>;
  /** Has jobs looked at now that the jobs service is known to have. */
  lookAt(jobIds: readonly string[]): Promise<void>;
  /** The jobs of these that are waited for. */
  awaited(jobIds: readonly string[]): Promise<readonly AwaitedJob[]>;
  /** As `awaited`, inside the transaction that has their missions locked. */
  awaitedIn(tx: Transaction, jobIds: readonly string[]): Promise<readonly AwaitedJob[]>;
  /** Notes the ends that were taken in; nothing more is to be done about these jobs. */
  close(tx: Transaction, ends: readonly { jobId: string; version: number }[]): Promise<void>;
}

/** A word of a person, for the record. */
export interface AuditEntry {
  readonly transition: Transition;
  readonly action: "CANCEL" | "RETRY" | "RESOLVE";
}

/** The record of what people did to missions. */
export interface Audit {
  append(tx: Transaction, entry: AuditEntry): Promise<void>;
}

/** Facts commit with their cause: appending demands the transaction. */
export interface Facts {
  /** Writes one event for each transition, into the outbox. */
  appendAll(tx: Transaction, transitions: readonly Transition[]): void;
}

/** How a job stands, asked of the jobs service. `undefined` while it has not ended. */
export interface JobState {
  readonly version: number;
  readonly end: JobEnd | undefined;
}

/** What became of a submission. */
export type Submitted =
  | { readonly kind: "accepted" }
  | { readonly kind: "refused"; readonly message: string }
  /** Nobody knows, or not now: to be tried again. */
  | { readonly kind: "later" };

/** The jobs service. Every call may be repeated: jobs are known by their ids. */
export interface JobsPeer {
  /** Submits jobs, each in the name of its mission's launcher. One outcome for each, in order. */
  submit(errands: readonly HeldErrand[], signal: AbortSignal): Promise<readonly Submitted[]>;
  /** Cancels a job; one that has ended is left as it is. @throws Fault */
  cancel(errand: HeldErrand, signal: AbortSignal): Promise<void>;
  /** Runs a job again that ended without success; one that runs already is left as it is. @throws Fault */
  retry(errand: HeldErrand, signal: AbortSignal): Promise<void>;
  /** Asks how a job stands, its attempts included. @throws Fault */
  look(errand: HeldErrand, signal: AbortSignal): Promise<JobState>;
}
