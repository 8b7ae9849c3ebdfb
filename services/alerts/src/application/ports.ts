import type { Pool, Transaction } from "@orrery/mesh/postgres/pool";
import type { ActRefusal, AlertCommand } from "../domain/act-decisions.ts";
import type { Alert, Cause, Transition } from "../domain/alert.ts";
import type { Severity } from "../domain/alert-state.ts";
import type { Known, Notice } from "../domain/notice-decisions.ts";

export type { ActRefusal };

/** Runs work in one transaction; see Pool.transaction of the chassis. */
export type InTransaction = Pool["transaction"];

/** Who asks, as the gateway vouches for it. */
export interface Caller extends Cause {
  /** The project of the key, under which an idempotency key means something; alerts have none. */
  readonly project: string;
  readonly principal: string;
}

/** Alerts, and the time by the clock that decides about them. */
export interface HeldAlerts {
  readonly alerts: readonly Alert[];
  /** The database's clock after the locks were taken, in epoch milliseconds. */
  readonly nowMs: number;
}

/** A command that was carried out, for the record of who did what and why. */
export interface AlertAct {
  readonly alert: Alert;
  readonly command: AlertCommand;
  readonly caller: Caller;
  readonly atMs: number;
}

/** The store of alerts. Everything is set-based; rows are locked in the order of their ids. */
export interface Alerts {
  /**
   * Looks up what is known of the fingerprints of some notices, and locks what is open. One transaction at a time
   * is let in, across all replicas: two that hear of the same new alert must not both begin it.
   *
   * @param notices - at most 1,000
   * @returns by fingerprint; one that nothing is known of is absent
   */
  lockKnown(
    tx: Transaction,
    notices: readonly Notice[],
  ): Promise<{ known: ReadonlyMap<string, Known>; nowMs: number }>;
  /** Locks one alert by its id. @returns no alert where the id is unknown */
  lock(tx: Transaction, id: string): Promise<HeldAlerts>;
  /** Locks alerts whose mute is over, leaving out those that somebody else has locked. At most `limit`. */
  lockMuteEnded(tx: Transaction, limit: number): Promise<HeldAlerts>;
  /**
   * Locks open alerts that were begun more than `olderThanMs` ago and have none of these fingerprints, leaving out
   * those that somebody else has locked. At most 1,000.
   */
  lockOpenExcept(tx: Transaction, fingerprints: readonly string[], olderThanMs: number): Promise<HeldAlerts>;
  /**
   * Writes transitions of alerts that are new or that this transaction has locked; of several of one alert, in
   * order, the last one stands.
   *
   * @throws Error when one was not at the version before
   */
  saveAll(tx: Transaction, steps: readonly Transition[]): Promise<void>;
  /** Writes down who did what and why. */
  recordAct(tx: Transaction, act: AlertAct): Promise<void>;
  /** How many alerts are not resolved, by severity. */
  countActive(): Promise<ReadonlyMap<Severity, number>>;
  /** Deletes alerts that were resolved more than 90 days ago, at most 1,000. @returns how many */
  forgetOld(): Promise<number>;
}

/** The events of the service; they commit with their cause. */
export interface Facts {
  /** Appends the events of transitions, in order. */
  appendAll(tx: Transaction, steps: readonly Transition[]): void;
}

/** What Alertmanager knows at a moment. */
export interface Firing {
  /** Everything that is not over, silenced or not. */
  readonly notices: readonly Notice[];
  /** For how long it has been up, in milliseconds. */
  readonly upMs: number;
}

/** Alertmanager, to be asked. */
export interface Alertmanager {
  /** @throws Error when it does not answer, or not as it should */
  firing(signal: AbortSignal): Promise<Firing>;
}
