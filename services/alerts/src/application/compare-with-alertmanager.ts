import { forgotten } from "../domain/notice-decisions.ts";
import type { HearNotices } from "./hear-notices.ts";
import type { Alertmanager, Alerts, Facts, InTransaction } from "./ports.ts";
import { writeSteps } from "./write-steps.ts";

/**
 * Prometheus tells Alertmanager of everything that fires once a minute. An Alertmanager that has been up for five knows
 * all there is, so what it does not know is over.
 */
const SETTLED_MS = 300_000;

export interface CompareDeps {
  readonly alerts: Alerts;
  readonly facts: Facts;
  readonly inTransaction: InTransaction;
  /** Told after a commit that wrote events. */
  readonly committed: () => void;
  readonly hear: HearNotices["hear"];
  /** Undefined where it cannot be asked: then nothing is compared. */
  readonly alertmanager: Alertmanager | undefined;
  /** Milliseconds. @default 300_000 */
  readonly settledMs?: number;
}

/**
 * Makes up for what was never told. A webhook that was refused for its length, or whose sender died, is heard here; an
 * alert that was over while Alertmanager and Prometheus were both away, so that nobody ever says so, ends here.
 *
 * @throws Error when Alertmanager does not answer
 */
export const compareWithAlertmanager =
  ({ alertmanager, hear, settledMs = SETTLED_MS, ...deps }: CompareDeps) =>
  async (signal: AbortSignal): Promise<void> => {
    if (alertmanager === undefined) return;
    const { notices, upMs } = await alertmanager.firing(signal);
    await hear(notices);
    if (upMs < settledMs) return;
    const fingerprints = notices.map(({ fingerprint }) => fingerprint);
    const ended = await deps.inTransaction(async (tx) => {
      const { alerts, nowMs } = await deps.alerts.lockOpenExcept(tx, fingerprints, settledMs);
      const steps = alerts.map((alert) => forgotten(alert, nowMs));
      await writeSteps(deps, tx, steps);
      return steps.length;
    });
    if (ended > 0) deps.committed();
  };
