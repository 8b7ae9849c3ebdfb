import { type IdempotencyKeys, type KeyedRequest, storedAnswer } from "@orrery/mesh/idempotency/keys";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import { uuidV7 } from "@orrery/mesh/time/clock";
import { type Launch, launch } from "../domain/decisions.ts";
import type { Mission } from "../domain/mission.ts";
import type { DecisionDeps } from "./decide-missions.ts";

/** What an accepted request is answered with: the mission, or the stored answer to the same request before. */
export type Answer = { readonly mission: Mission } | { readonly replay: Uint8Array };

export interface AnswerDeps extends DecisionDeps {
  readonly keys: IdempotencyKeys;
  /** Writes a mission as it is answered, to be stored with its key. */
  readonly encode: (mission: Mission) => Uint8Array;
  /** Reads the database's clock. */
  readonly databaseNow: (tx: Transaction) => Promise<number>;
}

/**
 * Launches a mission; it is durable when this resolves, and begun right after.
 *
 * @throws Fault `IDEMPOTENCY_IN_FLIGHT` (retry after 1 s) · `IDEMPOTENCY_KEY_REUSED` · `DEPENDENCY_UNAVAILABLE`
 */
export const launchMission =
  (deps: AnswerDeps) =>
  async (asked: Launch, keyed: KeyedRequest | undefined): Promise<Answer> => {
    const { missions, facts, keys } = deps;
    const written = await deps.inTransaction(
      async (tx) => {
        const replay = keyed && storedAnswer(keyed, await keys.claim(tx, keyed));
        if (replay !== undefined) return { replay };
        const { mission, transitions } = launch(asked, uuidV7(deps.clock), await deps.databaseNow(tx));
        await missions.insert(tx, mission);
        facts.appendAll(tx, transitions);
        if (keyed !== undefined) await keys.store(tx, { ...keyed, response: deps.encode(mission) });
        return { mission, transitions };
      },
      { projects: [asked.project] },
    );
    if ("replay" in written) return written;
    deps.announcements.announce(written.transitions);
    return { mission: written.mission };
  };
