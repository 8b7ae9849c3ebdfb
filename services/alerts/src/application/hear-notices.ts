import { createBatcher } from "@orrery/mesh/batching/batcher";
import { hear, type Notice } from "../domain/notice-decisions.ts";
import type { Alerts, Facts, InTransaction } from "./ports.ts";
import { writeSteps } from "./write-steps.ts";

/** Rows of one transaction: a storm is taken in pieces that each end well within a statement's time. */
const MAX_ITEMS = 1_000;
/** Five storms of 10,000 may wait; Alertmanager repeats what is refused beyond. */
const MAX_QUEUED = 50_000;

export interface HearDeps {
  readonly alerts: Alerts;
  readonly facts: Facts;
  readonly inTransaction: InTransaction;
  /** Told after a commit that wrote events. */
  readonly committed: () => void;
}

/** Takes Alertmanager's word. */
export interface HearNotices {
  /**
   * Takes notices in their order, together with those of other webhooks that wait. When it resolves all of them are
   * durable; when it rejects some may be, and hearing them again changes nothing (A3).
   *
   * @throws Fault `OVERLOADED` · `DEPENDENCY_UNAVAILABLE` · `DEADLINE_EXCEEDED`
   */
  hear(notices: readonly Notice[]): Promise<void>;
  /** Takes nothing more, and resolves when everything taken is durable or refused. */
  close(): Promise<void>;
}

/** Notices of all webhooks, each batch one transaction. */
export function createHearNotices(deps: HearDeps): HearNotices {
  const { alerts, inTransaction, committed } = deps;
  const run = async (notices: readonly Notice[]): Promise<readonly undefined[]> => {
    const steps = await inTransaction(async (tx) => {
      const { known, nowMs } = await alerts.lockKnown(tx, notices);
      const decided = byFingerprint(notices).flatMap(([fingerprint, told]) =>
        hear(known.get(fingerprint) ?? NOTHING_KNOWN, told, nowMs),
      );
      await writeSteps(deps, tx, decided);
      return decided;
    });
    if (steps.length > 0) committed();
    return notices.map(() => undefined);
  };
  const batcher = createBatcher<Notice, undefined>({
    name: "notices",
    maxItems: MAX_ITEMS,
    // One after the other: the database lets in one hearer at a time, and words about one alert keep their order.
    maxInFlight: 1,
    maxQueued: MAX_QUEUED,
    run,
  });
  return {
    hear: async (notices) => {
      // Settled before it is judged: a webhook is answered when nothing of it is under way any more.
      const heard = await Promise.allSettled(notices.map((notice) => batcher.submit(notice)));
      const failed = heard.find((outcome) => outcome.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
    close: () => batcher.close(),
  };
}

const NOTHING_KNOWN = { open: undefined, starts: new Set<number>() };

function byFingerprint(notices: readonly Notice[]): readonly (readonly [string, readonly Notice[]])[] {
  return [...Map.groupBy(notices, ({ fingerprint }) => fingerprint)];
}
