import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Clock } from "@orrery/mesh/time/clock";
import { every } from "@orrery/mesh/time/every";

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
  const parts = { clock, logger, signal };
  const sweep = async (): Promise<void> => {
    await work.endMutes(signal);
    sweptMs = clock.monotonicMs();
  };
  return {
    sweptAgoMs: () => clock.monotonicMs() - sweptMs,
    ended: Promise.all([
      every({ name: "sweep", ms: SWEEP_MS }, parts, sweep),
      every({ name: "gauges", ms: GAUGES_MS }, parts, work.refreshGauges),
      every({ name: "comparison", ms: COMPARE_MS }, parts, () => work.compare(signal)),
      every({ name: "housekeeping", ms: HOUSEKEEPING_MS }, parts, work.keepHouse),
    ]),
  };
}
