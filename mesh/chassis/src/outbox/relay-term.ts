import type { Pool } from "../postgres/pool.ts";
import type { Clock } from "../time/clock.ts";
import { ACQUIRE_TERM, RELEASE_TERM, RENEW_TERM } from "./relay-statements.ts";

/** A part of the term that is not used, so that a slow clock here never outlives the term there. */
const MARGIN = 0.2;

/**
 * The right to publish, held by one process at a time: a row in the database, with an end by the database's
 * clock and a number that grows with each holder.
 *
 * T1: at most one holder takes notes of events away at any moment (each checks the row, under a lock that a
 * takeover waits for). T2: a holder that was paused beyond its term publishes nothing when it goes on (it
 * looks at its own monotonic clock first, which was read before the term was granted).
 */
export class RelayTerm {
  readonly holder: string;
  readonly #pool: Pool;
  readonly #clock: Clock;
  readonly #instance: string;
  readonly #termMs: number;
  #term = 0;
  #heldUntilMs = Number.NEGATIVE_INFINITY;
  #firstTry = true;

  constructor(options: { pool: Pool; clock: Clock; instance: string; holder: string; termMs: number }) {
    this.#pool = options.pool;
    this.#clock = options.clock;
    this.#instance = options.instance;
    this.#termMs = options.termMs;
    this.holder = options.holder;
  }

  /** The number of the term that was acquired last. */
  get number(): number {
    return this.#term;
  }

  /** Whether this process may still publish, by its own clock. */
  isHeld(): boolean {
    return this.#clock.monotonicMs() < this.#heldUntilMs;
  }

  /**
   * Takes the term if nobody holds it. A process that was started again need not wait for its own earlier
   * term.
   */
  async acquire(): Promise<boolean> {
    const askedMs = this.#clock.monotonicMs();
    const values = [this.holder, this.#instance, this.#termMs, this.#firstTry];
    const rows = await this.#pool.query<{ term: number }>(ACQUIRE_TERM, values);
    this.#firstTry = false;
    const [row] = rows;
    if (row === undefined) return false;
    this.#term = row.term;
    this.#heldFrom(askedMs);
    return true;
  }

  /** Holds the term for longer; afterwards `isHeld` tells whether that went well. */
  async renew(): Promise<void> {
    const askedMs = this.#clock.monotonicMs();
    const rows = await this.#pool.query(RENEW_TERM, [this.holder, this.#term, this.#termMs]);
    if (rows.length === 0) this.lose();
    else this.#heldFrom(askedMs);
  }

  /** Holds it no more: the database said so. */
  lose(): void {
    this.#heldUntilMs = Number.NEGATIVE_INFINITY;
  }

  /** Gives the term back. */
  async release(): Promise<void> {
    this.lose();
    await this.#pool.query(RELEASE_TERM, [this.holder, this.#term]);
  }

  #heldFrom(askedMs: number): void {
    this.#heldUntilMs = askedMs + this.#termMs * (1 - MARGIN);
  }
}
