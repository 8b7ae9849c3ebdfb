import { Fault } from "@orrery/mesh/fault/fault";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import type { Pair, Queues } from "./ports.ts";

/**
 * How many pairs of a queue and a task a project may have, for ever. Workers that serve all projects look into each of
 * them at every lease: without a limit one project's names would slow everybody's jobs down.
 */
export const PAIRS_LIMIT = 10_000;

const KNOWN_ENTRIES = 20_000;

/** What became of the pairs of some submissions. */
interface Entered {
  /** Those that were written: to be remembered once the transaction has committed. */
  readonly entries: readonly Pair[];
  /** Whether a pair is there now; its project has too many of them otherwise. */
  has(pair: Pair): boolean;
}

/**
 * Remembers which queues and tasks the database knows, so that a submission of a known one asks and writes nothing for
 * them.
 */
export interface Register {
  enter(tx: Transaction, pairs: readonly Pair[]): Promise<Entered>;
  remember(entries: readonly Pair[]): void;
}

export function createRegister(queues: Pick<Queues, "register" | "withoutRoom">): Register {
  const known = new Set<string>();
  return {
    enter: async (tx, pairs) => {
      const unknown = new Map<string, Pair>();
      for (const { project, queue, task } of pairs) {
        const name = nameOf({ project, queue, task });
        if (!known.has(name)) unknown.set(name, { project, queue, task });
      }
      if (unknown.size === 0) return { entries: [], has: () => true };
      const refused = new Set((await queues.withoutRoom(tx, [...unknown.values()], PAIRS_LIMIT)).map(nameOf));
      const entries = [...unknown.values()].filter((pair) => !refused.has(nameOf(pair)));
      if (entries.length > 0) queues.register(tx, entries);
      return { entries, has: (pair) => !refused.has(nameOf(pair)) };
    },
    remember: (entries) => {
      if (known.size > KNOWN_ENTRIES) known.clear();
      for (const entry of entries) known.add(nameOf(entry));
    },
  };
}

const nameOf = ({ project, queue, task }: Pair): string => `${project} ${queue} ${task}`;

/** The refusal of a submission whose pair has no room. */
export function noRoom({ queue, task }: Pair): Fault {
  const pairs = `${PAIRS_LIMIT.toLocaleString("en")} pairs of a queue and a task, which is the most`;
  const description = `and task "${task}" would be a new pair: this project has ${pairs}`;
  const fieldViolations = [{ field: "queue", description }];
  return new Fault("INVALID_REQUEST", { detail: `queue "${queue}" ${description}`, fieldViolations });
}
