import { begin } from "../domain/decisions.ts";
import { type DecisionDeps, inShares, momentAt, record } from "./decide-missions.ts";
import { MISSIONS_AT_ONCE } from "./limits.ts";
import { decisionSpans } from "./mission-spans.ts";

/**
 * Begins missions that were launched, whoever launched them. One that another replica has in hand is left to it.
 *
 * @returns how many were begun
 */
export const beginMissions = (deps: DecisionDeps) => async (): Promise<number> => {
  let begun = 0;
  await inShares(await deps.missions.pending(MISSIONS_AT_ONCE), async (share) => {
    using spans = decisionSpans("mission.begin");
    const transitions = await deps.inTransaction(async (tx) => {
      const ids = share.map(({ missionId }) => missionId);
      const { held, nowMs } = await deps.missions.lockFree(tx, ids);
      // Another replica may have begun some of them between the look and the lock.
      const pending = [...held.values()].filter(({ status }) => status === "PENDING");
      spans.open(pending);
      const moment = momentAt(deps, nowMs);
      const decided = pending.map((before) => ({ before, progress: begin(before, moment) }));
      return record(deps, tx, decided);
    });
    spans.committed();
    begun += transitions.filter(({ fact }) => fact === "MissionStarted").length;
    deps.announcements.announce(transitions);
  });
  return begun;
};
