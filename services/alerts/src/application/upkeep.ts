import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Clock } from "@orrery/mesh/time/clock";
import { wait } from "@orrery/mesh/time/wait";

const SWEEP_MS = 1_000;
const GAUGES_MS = 2_000;
const COMPARE_MS = 60_000;
const HOUSEKEEPING_MS = 600_000;

export interface UpkeepDeps {
  /** Ends the mutes that are over. */
  readonly endMutes: (signal: AbortSignal) => Promise<unknown>;
  /** Counts what the gauges show. */
  readonly refreshGauges: () => Promise<void>;
  /** Compares with what Alertmanager knows. */
  readonly compare: (signal: AbortSignal) => Promise<unknown>;
  /** Makes room ahead and forgets what is old. */
  readonly keepHouse: () => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends the upkeep. */
  readonly signal: AbortSignal;
}

/** What happens by itself. Every replica does all of it. */
export interface Upkeep {
  /** Milliseconds since mutes were last looked at: a service that does not sweep is not well. */
  sweptAgoMs(): number;
  /** Resolves when everything under way has ended; begins with the signal. */
  readonly ended: Promise<unknown>;
}

/** Begins the upkeep at once. */
export function startUpkeep({ clock, logger, signal, ...work }: UpkeepDeps): Upkeep {
  let sweptMs = clock.monotonicMs();
  const every = async (name: string, ms: number, turn: () => Promise<unknown>): Promise<void> => {
    while (!signal.aborted) {
      try {
        await turn();
      } catch (failure) {
        // What fails now is tried again at the next turn.
        if (!signal.aborted) logger.warn(`${name} did not work`, { reason: String(failure) });
      }
      await wait(ms, signal);
    }
  };
  const sweep = async (): Promise<void> => {
    await work.endMutes(signal);
    sweptMs = clock.monotonicMs();
  };
  return {
    sweptAgoMs: () => clock.monotonicMs() - sweptMs,
    ended: Promise.all([
      every("sweep", SWEEP_MS, sweep),
      every("gauges", GAUGES_MS, work.refreshGauges),
      every("comparison", COMPARE_MS, () => work.compare(signal)),
      every("housekeeping", HOUSEKEEPING_MS, work.keepHouse),
    ]),
  };
}
