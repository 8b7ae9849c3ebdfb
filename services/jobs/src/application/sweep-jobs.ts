// R12 the transaction that ends an attempt moves the job on and writes the event; before its commit a word
// with the current epoch is taken, after it never. Any replica sweeps; locked rows are left to whoever holds
// them.
import type { Announcements } from "@orrery/mesh/outbox/announcements";
import type { Chance } from "@orrery/mesh/time/clock";
import { giveUpWaiting, type HeldJob, lose, timeOut } from "../domain/attempt-decisions.ts";
import type { Decision, Moved } from "../domain/job.ts";
import { expire, promote } from "../domain/job-decisions.ts";
import type { Change, DueKind, Facts, InTransaction, Jobs } from "./ports.ts";

const MAX_ITEMS = 500;

interface SweepDeps {
  readonly jobs: Jobs;
  readonly facts: Facts;
  readonly inTransaction: InTransaction;
  readonly chance: Chance;
  readonly announcements: Announcements<Moved>;
}

type Rule = (held: HeldJob, at: { nowMs: number; chance: number }) => Decision<never>;

/**
 * What time does to a job, the strongest first: the end of the job, the end of patience, a time-out, a loss.
 */
const RULES: Readonly<Record<DueKind, readonly Rule[]>> = {
  promotion: [({ job }, { nowMs }) => promote(job, nowMs)],
  expiry: [(held, { nowMs }) => expire(held, nowMs)],
  attempt: [
    (held, { nowMs }) => expire(held, nowMs),
    (held, { nowMs }) => giveUpWaiting(held, nowMs),
    (held, at) => timeOut(held, at),
    (held, { nowMs }) => lose(held, nowMs),
  ],
};

/**
 * Does everything of one kind that is due now, 500 jobs at a time.
 *
 * @returns how many jobs were moved on
 */
export const sweep =
  ({ jobs, facts, inTransaction, chance, announcements }: SweepDeps) =>
  async (kind: DueKind, signal: AbortSignal): Promise<number> => {
    let moved = 0;
    while (!signal.aborted) {
      const ids = await jobs.due(kind, MAX_ITEMS);
      if (ids.length === 0) break;
      const changes = await inTransaction(async (tx): Promise<readonly Change[]> => {
        const { held, nowMs } = await jobs.lockFree(tx, ids);
        const decided = [...held.values()].flatMap((job) =>
          decide(RULES[kind], job, { nowMs, chance: chance.next() }),
        );
        if (decided.length > 0) {
          await jobs.saveAll(tx, decided);
          facts.appendAll(tx, decided);
        }
        return decided;
      });
      announcements.announce(changes);
      moved += changes.length;
      // Where nothing could be done somebody else is at it, or it was done meanwhile.
      if (changes.length === 0 || ids.length < MAX_ITEMS) break;
    }
    return moved;
  };

function decide(
  rules: readonly Rule[],
  held: HeldJob,
  at: { nowMs: number; chance: number },
): readonly Change[] {
  for (const rule of rules) {
    const decision = rule(held, at);
    if (decision.kind === "step") return [decision.step];
  }
  return [];
}
