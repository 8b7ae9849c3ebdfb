import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Clock } from "@orrery/mesh/time/clock";
import { every, oneTurn } from "@orrery/mesh/time/every";
import { wait } from "@orrery/mesh/time/wait";
import type { Moved } from "../domain/job.ts";
import type { DatabaseClock } from "./database-clock.ts";
import type { DueKind, Jobs, Partitions, Workers } from "./ports.ts";

const SWEEP_MS = 1_000;
const GAUGES_MS = 2_000;
const HOUSEKEEPING_MS = 60_000;
/** Counting rests for so many times as long as it took: a queue of a million jobs must not become all of the work. */
const GAUGES_REST = 20;
/** Never sweep more often than this, however many jobs become due one after another. */
const SPACING_MS = 20;

interface UpkeepDeps {
  readonly jobs: Jobs;
  readonly workers: Workers;
  readonly partitions: Partitions;
  readonly sweep: (kind: DueKind, signal: AbortSignal) => Promise<number>;
  readonly databaseNow: () => Promise<number>;
  readonly clock: Clock;
  readonly databaseClock: DatabaseClock;
  readonly refreshGauges: () => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** What happens by itself. Every replica does all of it; rows that one has locked, the others leave alone. */
interface Upkeep {
  /** Whether any queue that is not paused has a limit, as of a second ago at most. */
  readonly limitedQueues: () => boolean;
  /** Says that limits may have changed here. */
  limitsChanged(): void;
  /** Looks at what has just been committed: it may be due before anything else. */
  nudge(changes: readonly Moved[]): void;
  /** When the sweeper last came round, by the monotonic clock: a service that does not sweep is not well. */
  readonly lastSweepMs: () => number;
  /** Resolves when everything under way has ended; begins with the signal. */
  readonly ended: Promise<unknown>;
}

/** Begins the upkeep at once; the signal ends it. */
export function startUpkeep(deps: UpkeepDeps): Upkeep {
  const { clock, signal, databaseClock } = deps;
  // Until the first look a queue may have limits: looking once too often costs less than a cap that is
  // passed.
  let limited = true;
  let lastSweepMs = clock.monotonicMs();
  let nextDueMs = Number.POSITIVE_INFINITY;
  let wake: (() => void) | undefined;

  const promote = async (): Promise<void> => {
    // What fails leaves this behind: a moment that has passed would call again at once.
    nextDueMs = Number.POSITIVE_INFINITY;
    await deps.sweep("promotion", signal);
    await deps.sweep("expiry", signal);
    const inMs = await deps.jobs.nextDueInMs();
    nextDueMs = inMs === undefined ? Number.POSITIVE_INFINITY : clock.monotonicMs() + inMs;
  };
  const promoteWhenDue = async (): Promise<void> => {
    while (!signal.aborted) {
      await oneTurn("promotion", deps, promote);
      await wait(SPACING_MS, signal);
      const sleepMs = Math.min(SWEEP_MS, Math.max(0, nextDueMs - clock.monotonicMs()));
      await new Promise<void>((resolve) => {
        wake = resolve;
        void wait(sleepMs, signal).then(resolve);
      });
      wake = undefined;
    }
  };
  const sweepAttempts = async (): Promise<void> => {
    databaseClock.observe(await deps.databaseNow());
    await deps.sweep("attempt", signal);
    limited = await deps.jobs.anyLimitedQueue();
    lastSweepMs = clock.monotonicMs();
  };
  const keepHouse = async (): Promise<void> => {
    await deps.partitions.extend();
    await deps.workers.forget();
  };

  return {
    limitedQueues: () => limited,
    limitsChanged: () => {
      limited = true;
    },
    nudge: (changes) => {
      const dueMs = Math.min(...changes.map((change) => dueOf(change)));
      if (dueMs === Number.POSITIVE_INFINITY) return;
      const atMs = clock.monotonicMs() + (dueMs - databaseClock.nowMs());
      if (atMs >= nextDueMs) return;
      nextDueMs = atMs;
      wake?.();
    },
    lastSweepMs: () => lastSweepMs,
    ended: Promise.all([
      promoteWhenDue(),
      every({ name: "sweep", ms: SWEEP_MS }, deps, sweepAttempts),
      every({ name: "gauges", ms: GAUGES_MS, rest: GAUGES_REST }, deps, deps.refreshGauges),
      every({ name: "housekeeping", ms: HOUSEKEEPING_MS }, deps, keepHouse),
    ]),
  };
}

/** When time does something to the job next, whatever else happens to it. */
function dueOf({ job }: Moved): number {
  const waits = job.status === "SCHEDULED" || job.status === "RETRYING";
  return waits ? job.runMs : Number.POSITIVE_INFINITY;
}
