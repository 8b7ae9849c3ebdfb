import { endMute } from "../domain/act-decisions.ts";
import type { Alerts, Facts, InTransaction } from "./ports.ts";
import { writeSteps } from "./write-steps.ts";

const MAX_ITEMS = 500;

export interface EndMutesDeps {
  readonly alerts: Alerts;
  readonly facts: Facts;
  readonly inTransaction: InTransaction;
  /** Told after a commit that wrote events. */
  readonly committed: () => void;
}

/**
 * Lets the alerts fire again whose mute is over by the database's clock, 500 at a time. Every replica does it; rows
 * that one has locked, the others leave alone.
 *
 * @returns how many fire again
 */
export const endMutes =
  (deps: EndMutesDeps) =>
  async (signal: AbortSignal): Promise<number> => {
    let ended = 0;
    for (let batch = MAX_ITEMS; batch === MAX_ITEMS && !signal.aborted; ended += batch) {
      batch = await deps.inTransaction(async (tx) => {
        const { alerts, nowMs } = await deps.alerts.lockMuteEnded(tx, MAX_ITEMS);
        const steps = alerts.flatMap((alert) => {
          const decision = endMute(alert, nowMs);
          return decision.kind === "step" ? [decision.step] : [];
        });
        await writeSteps(deps, tx, steps);
        return steps.length;
      });
      if (batch > 0) deps.committed();
    }
    return ended;
  };
