import { Fault } from "@orrery/mesh/fault/fault";
import { type KeyedRequest, storedAnswer } from "@orrery/mesh/idempotency/keys";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import { type Command, type CommandDecision, type CommandRefusal, obey } from "../domain/decisions.ts";
import type { Mission, Transition } from "../domain/mission.ts";
import { momentAt, record } from "./decide-missions.ts";
import type { Answer, AnswerDeps } from "./launch-mission.ts";
import type { Audit, Caller } from "./ports.ts";

export interface CommandDeps extends AnswerDeps {
  readonly audit: Audit;
}

/** What a person asks of one mission, and why. */
export interface CommandRequest {
  readonly id: string;
  readonly command: Command;
  readonly note: string;
  readonly keyed: KeyedRequest | undefined;
}

const DETAILS: Readonly<Record<CommandRefusal, string>> = {
  MISSION_ALREADY_FINISHED: "the mission has already ended",
  MISSION_PAST_PIVOT: "the mission has reached its pivot: from there it only goes forward",
  MISSION_NOT_RETRYABLE: "only a mission that needs attention can be retried",
  MISSION_NOT_RESOLVABLE:
    "the mission does not need attention for this step, or the outcome does not fit how it stands",
};
const ACTIONS = { cancel: "CANCEL", retry: "RETRY", resolve: "RESOLVE" } as const;

/**
 * Cancels, retries or resolves a mission. Who did it, and why, is on record in the same transaction.
 *
 * @returns the mission after it, or the stored answer to the same request before
 * @throws Fault `NOT_FOUND` · `MISSION_ALREADY_FINISHED` · `MISSION_PAST_PIVOT` · `MISSION_NOT_RETRYABLE` ·
 * `MISSION_NOT_RESOLVABLE` · `IDEMPOTENCY_IN_FLIGHT` (retry after 1 s) · `IDEMPOTENCY_KEY_REUSED`
 */
export const commandMission =
  (deps: CommandDeps) =>
  async (request: CommandRequest, caller: Caller): Promise<Answer> => {
    const { id, command, note, keyed } = request;
    const done = await deps.inTransaction(
      async (tx) => {
        const replay = keyed && storedAnswer(keyed, await deps.keys.claim(tx, keyed));
        if (replay !== undefined) return { replay };
        const { held, nowMs } = await deps.missions.lockAll(tx, [id]);
        const before = held.get(id);
        if (before === undefined || before.project !== caller.project) throw notFound();
        const word = { principal: caller.principal, note };
        const decision = obey(before, command, word, momentAt(deps, nowMs));
        const { mission, transitions } = await carryOut(deps, tx, { before, decision, kind: command.kind });
        if (keyed !== undefined) await deps.keys.store(tx, { ...keyed, response: deps.encode(mission) });
        return { mission, transitions };
      },
      { projects: [caller.project] },
    );
    if ("replay" in done) return done;
    deps.announcements.announce(done.transitions);
    return { mission: done.mission };
  };

/** The refusal of a mission that the project does not have. */
export const notFound = (): Fault =>
  new Fault("NOT_FOUND", { detail: "this project has no mission with this id" });

async function carryOut(
  deps: CommandDeps,
  tx: Transaction,
  asked: { before: Mission; decision: CommandDecision; kind: Command["kind"] },
): Promise<{ mission: Mission; transitions: readonly Transition[] }> {
  const { before, decision, kind } = asked;
  if (decision.kind === "refused") throw new Fault(decision.reason, { detail: DETAILS[decision.reason] });
  if (decision.kind === "same") return { mission: before, transitions: [] };
  const transitions = await record(deps, tx, [{ before, progress: decision.progress }]);
  const [first] = transitions;
  if (first !== undefined) await deps.audit.append(tx, { transition: first, action: ACTIONS[kind] });
  return { mission: decision.progress.mission, transitions };
}
