import { STREAM_MAX_AGE_MS } from "../messaging/streams.ts";
import type { Pool } from "../postgres/pool.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { PEND_AGAIN } from "./relay-statements.ts";

/** The one long transaction of the outbox. */
const REPUBLISH_LIMIT_MS = 600_000;

/**
 * Lets the relay publish events again that it published before: all of the stream's age, or those from a
 * moment on.
 *
 * Safe at any time: what the stream still has is dropped there within two minutes of its first publication,
 * and is recognised by every consumer by its version after that. Older events come before newer ones and
 * before what is new. What waits already is noted anew with them; the relay may have to wait meanwhile, and another
 * replica take its term.
 *
 * @param options - `fromMs`: milliseconds since the epoch
 * @returns how many events were noted
 * @throws Fault as `Pool.transaction` does
 * @default fromMs the age of the stream before now
 */
export async function republish(options: {
  pool: Pool;
  fromMs?: number | undefined;
  clock?: Clock;
}): Promise<{ events: number }> {
  const { pool, clock = systemClock } = options;
  const fromMs = options.fromMs ?? clock.nowMs() - STREAM_MAX_AGE_MS;
  const rows = await pool.transaction((tx) => tx.query<{ events: number }>(PEND_AGAIN, [fromMs]), {
    statementTimeoutMs: REPUBLISH_LIMIT_MS,
  });
  return { events: rows[0]?.events ?? 0 };
}
