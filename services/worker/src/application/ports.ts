import type { Attempt, AttemptEnd, LeaseRef } from "../domain/attempt.ts";

/** What the engine says became of one lease. */
export interface LeaseOutcome extends LeaseRef {
  readonly ok: boolean;
  /** The reason's name, such as LEASE_LOST; undefined where it is ok. */
  readonly reason: string | undefined;
  readonly cancelRequested: boolean;
}

/** The end of one attempt, on its way to the engine. */
export interface AttemptResult extends LeaseRef {
  readonly end: AttemptEnd;
}

/**
 * One open stream to one replica of the engine. Every answer comes in the order of what was asked; every
 * promise rejects when the stream closes first, and then nobody knows whether the engine got the message.
 */
export interface EngineLink {
  /** The replica, as host:port. */
  readonly name: string;
  /** Lets the engine send so many leases more. */
  grantCredit(jobs: number): void;
  /** Reports 1 to 500 ends. */
  report(results: readonly AttemptResult[]): Promise<readonly LeaseOutcome[]>;
  /** Gives 1 to 500 leases back undone. */
  release(leases: readonly LeaseRef[]): Promise<readonly LeaseOutcome[]>;
  /** Keeps 0 to 500 leases, and tells that the worker lives. */
  heartbeat(leases: readonly LeaseRef[], about: { draining: boolean }): Promise<readonly LeaseOutcome[]>;
  /**
   * Says nothing new, waits for the answers that are due, and ends the stream; another is opened in its
   * place.
   */
  finish(): void;
  /** Closes the stream at once; another is opened in its place. */
  close(cause: string): void;
}

/** Whoever acts on what the engine says. */
export interface EngineListener {
  opened(link: EngineLink): void;
  leased(link: EngineLink, attempts: readonly Attempt[]): void;
  cancelAsked(leases: readonly LeaseRef[]): void;
  /** The replica is about to close the stream. */
  draining(link: EngineLink): void;
  closed(link: EngineLink): void;
}

/** Runs attempts where they cannot hold up the heartbeats. */
export interface TaskRunner {
  start(attempts: readonly Attempt[]): void;
  /** Asks attempts to end; each still ends through the listener, by force where it does not listen. */
  stop(leases: readonly LeaseRef[]): void;
}

/** Hears of every attempt that was started, exactly once, when it ended. */
export type TaskListener = (ended: readonly AttemptResult[]) => void;
