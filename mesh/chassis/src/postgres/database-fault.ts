import pg from "pg";
import { Fault } from "../fault/fault.ts";

/** Milliseconds after which a caller may ask a database that is away again. */
const RETRY_AFTER_MS = 1_000;

/** SQLSTATE of a statement that was cancelled, by us or by its own time limit. */
const QUERY_CANCELED = "57014";

/** SQLSTATEs of transactions that lost against another and may simply be run again. */
const LOST_AGAINST_ANOTHER = new Set(["40001", "40P01"]);

/**
 * SQLSTATEs that say "not now" rather than "not like this": connection trouble (08), refused at the door (28,
 * 3D), out of room (53), shutting down or starting up (57P), input and output (58), a session or lock that
 * waited too long, and a server that takes no writes, as one that another has been promoted over (25006).
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const UNAVAILABLE = /^(08|28|3D|53|57P|58|25006|25P03|55P03)/;

/** What the database called a failure, if it came from the database: five characters, as in `23505`. */
export function sqlState(error: unknown): string | undefined {
  if (error instanceof pg.DatabaseError) return error.code;
  return error instanceof Error && error.cause !== undefined ? sqlState(error.cause) : undefined;
}

/** Whether the whole transaction may be run again at once: a deadlock or a serialization failure. */
export function lostAgainstAnother(error: unknown): boolean {
  return LOST_AGAINST_ANOTHER.has(sqlState(error) ?? "");
}

/** Whether the connection that gave this error can still be used. */
export function connectionSurvives(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !/^(08|57P|25006|25P03)/.test(state);
}

/**
 * Turns what the driver threw into a fault; the driver's words stay in its `cause`.
 *
 * @param deadlinePassed - whether the caller's own deadline ran out, which then is the reason
 * @returns `DEADLINE_EXCEEDED`, `DEPENDENCY_UNAVAILABLE` (retry after 1,000 ms) or `INTERNAL`
 */
export function databaseFault(error: unknown, deadlinePassed = false): Fault {
  if (error instanceof Fault) return error;
  const cause = { cause: error };
  const state = sqlState(error);
  if (deadlinePassed || state === QUERY_CANCELED) {
    return new Fault("DEADLINE_EXCEEDED", { detail: "the database did not answer in time" }, cause);
  }
  // The driver's own errors carry no SQLSTATE: a refused, broken or silent connection.
  if (state === undefined || UNAVAILABLE.test(state) || LOST_AGAINST_ANOTHER.has(state)) {
    const detail = "the database is not available";
    return new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: RETRY_AFTER_MS }, cause);
  }
  return new Fault("INTERNAL", { detail: "the database refused a statement" }, cause);
}

/** The fault of a transaction whose COMMIT was sent and not answered: it may have happened, or not. */
export function commitUnknown(error: unknown): Fault {
  const detail = "the database went away during the commit; whether it happened is unknown";
  return new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: RETRY_AFTER_MS }, { cause: error });
}
