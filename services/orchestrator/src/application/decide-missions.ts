import { Fault } from "@orrery/mesh/fault/fault";
import type { Announcements } from "@orrery/mesh/outbox/announcements";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import { type Clock, uuidV7 } from "@orrery/mesh/time/clock";
import type { Moment } from "../domain/course.ts";
import type { Mission, Progress, Transition } from "../domain/mission.ts";
import { BYTES_AT_ONCE, MISSIONS_AT_ONCE } from "./limits.ts";
import type { Facts, InTransaction, Missions } from "./ports.ts";

/** What every decision stands on. */
export interface DecisionDeps {
  readonly missions: Missions;
  readonly facts: Facts;
  readonly inTransaction: InTransaction;
  readonly announcements: Announcements<Transition>;
  /** For the ids of jobs; times are the database's. */
  readonly clock: Clock;
}

/** The moment of a decision: the database's time, and ids of this process. */
export const momentAt = ({ clock }: Pick<DecisionDeps, "clock">, nowMs: number): Moment => ({
  nowMs,
  newId: () => uuidV7(clock),
});

/**
 * Writes what was decided: where the missions stand, what is to be done for them, and an event for each transition, all
 * in one transaction. What came to nothing is left out.
 *
 * @returns the transitions, to be announced once they are durable
 */
export async function record(
  { missions, facts }: Pick<DecisionDeps, "missions" | "facts">,
  tx: Transaction,
  decided: readonly { readonly before: Mission; readonly progress: Progress }[],
): Promise<readonly Transition[]> {
  const changes = decided.filter(({ progress }) => progress.transitions.length > 0);
  if (changes.length === 0) return [];
  const transitions = changes.flatMap(({ progress }) => progress.transitions);
  await missions.saveAll(tx, changes);
  facts.appendAll(tx, transitions);
  return transitions;
}

/**
 * Works on missions, a share at a time. Where a share fails by what one of its missions holds, each is tried alone, so
 * that none holds up its neighbours.
 *
 * @throws what the first of those that failed alone threw, once the others are done; at once while the database is away
 */
export async function inShares<T extends Weighed>(
  items: readonly T[],
  work: (share: readonly T[]) => Promise<void>,
): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (share: readonly T[]): Promise<boolean> => {
    try {
      await work(share);
      return true;
    } catch (failure) {
      if (failure instanceof Fault && failure.retryable) throw failure;
      failures.push(failure);
      return false;
    }
  };
  for (const share of shares(items)) {
    const alone = [...Map.groupBy(share, ({ missionId }) => missionId).values()];
    if ((await attempt(share)) || alone.length === 1) continue;
    failures.pop();
    for (const one of alone) await attempt(one);
  }
  if (failures.length > 0) throw failures[0];
}

interface Weighed {
  readonly missionId: string;
  readonly valueBytes: number;
}

/** Divides missions into the shares of one transaction each: so many, and so much to hold at a time. */
export function shares<T extends Weighed>(items: readonly T[]): readonly (readonly T[])[] {
  const groups = [...Map.groupBy(items, ({ missionId }) => missionId).values()];
  const divided: T[][] = [];
  let missions = MISSIONS_AT_ONCE;
  let bytes = 0;
  for (const group of groups) {
    const weight = group[0]?.valueBytes ?? 0;
    if (missions >= MISSIONS_AT_ONCE || bytes + weight > BYTES_AT_ONCE) {
      divided.push([]);
      missions = 0;
      bytes = 0;
    }
    divided.at(-1)?.push(...group);
    missions += 1;
    bytes += weight;
  }
  return divided;
}
