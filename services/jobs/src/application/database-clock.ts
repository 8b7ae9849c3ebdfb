import type { Clock } from "@orrery/mesh/time/clock";

const WINDOW_MS = 10_000;

/**
 * The database's clock as this process knows it: expiry is decided by the real one, creation times come from
 * here.
 */
export interface DatabaseClock extends Clock {
  /** Takes in a reading of the database's clock that has just arrived. */
  observe(databaseMs: number): void;
}

/**
 * Estimates the database's clock from its readings. A reading is late by its way back, so the latest of the
 * last ten seconds' estimates is the best: right within a millisecond on one host. Before the first reading
 * it is this machine's clock.
 */
export function createDatabaseClock(clock: Clock): DatabaseClock {
  let offsetMs: number | undefined;
  let bestMs = Number.NEGATIVE_INFINITY;
  let windowEndsMs = Number.NEGATIVE_INFINITY;
  return {
    observe(databaseMs) {
      const monotonicMs = clock.monotonicMs();
      const sample = databaseMs - monotonicMs;
      if (monotonicMs > windowEndsMs) {
        windowEndsMs = monotonicMs + WINDOW_MS;
        bestMs = sample;
      } else {
        bestMs = Math.max(bestMs, sample);
      }
      offsetMs = bestMs;
    },
    nowMs: () => Math.floor(offsetMs === undefined ? clock.nowMs() : clock.monotonicMs() + offsetMs),
    monotonicMs: () => clock.monotonicMs(),
  };
}
