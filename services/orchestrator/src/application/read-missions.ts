import type { Mission } from "../domain/mission.ts";
import type { MissionStatus } from "../domain/mission-state.ts";
import { notFound } from "./command-mission.ts";
import { PAGE } from "./limits.ts";
import type { Missions } from "./ports.ts";

/** Reads a mission as it is now. @throws Fault `NOT_FOUND`, also for another project's mission */
export const readMission =
  (missions: Missions) =>
  async (project: string, id: string): Promise<Mission> => {
    const mission = await missions.read(project, id);
    if (mission === undefined) throw notFound();
    return mission;
  };

/**
 * Reads one page of a project's missions.
 *
 * @param pageSize - 0 means 50; more than 100 is 100
 * @returns the newest first, without inputs; `more` says whether there are further ones
 */
export const listMissions =
  (missions: Missions) =>
  async (
    project: string,
    asked: { status: MissionStatus | undefined; beforeId: string | undefined; pageSize: number },
  ): Promise<{ missions: readonly Mission[]; more: boolean }> => {
    const { status, beforeId, pageSize } = asked;
    const limit = Math.min(pageSize === 0 ? PAGE.usual : pageSize, PAGE.most);
    const found = await missions.page({ project, status, beforeId, limit: limit + 1 });
    return { missions: found.slice(0, limit), more: found.length > limit };
  };
