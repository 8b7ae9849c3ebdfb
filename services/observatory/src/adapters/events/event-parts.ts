import { isObject, type JsonObject, objectAt } from "../../domain/envelope-payload.ts";
import { ALERT_STATUSES, MISSION_STATUSES } from "../../domain/query/statuses.ts";
import { alertKeysOf, missionKeysOf, type SearchedMission } from "../../domain/search-keys.ts";
import type { EventPart } from "./event-context.ts";
import { nameAt, optionalTextAt, refuse, textAt, textsAt, timeAt } from "./json-fields.ts";

const MISSION: ReadonlySet<string> = new Set(MISSION_STATUSES);
const ALERT: ReadonlySet<string> = new Set(ALERT_STATUSES);
/** The higher, the worse: a severity that is not known yet comes last. */
const SEVERITIES: ReadonlyMap<string, number> = new Map([
  ["CRITICAL", 3],
  ["WARNING", 2],
  ["INFO", 1],
]);

/** What events about missions are called, and what is taken out of them. */
export const missionPart = {
  kind: "mission",
  names: new Set([
    "MissionCreated",
    "MissionStarted",
    "MissionStepStarted",
    "MissionStepSucceeded",
    "MissionStepFailed",
    "MissionStepUnknown",
    "MissionStepSkipped",
    "MissionCancelRequested",
    "MissionCompensationStarted",
    "MissionStepUndoStarted",
    "MissionStepUndone",
    "MissionStepUndoFailed",
    "MissionNeedsAttention",
    "MissionRetried",
    "MissionResolved",
    "MissionSucceeded",
    "MissionFailed",
    "MissionCompensated",
    "MissionCancelled",
  ]),
  part(payload: JsonObject): EventPart {
    const { input: _input, ...after } = objectAt(payload, "mission") ?? refuse("there is no mission in it");
    const keys = missionKeysOf(searchedMission(after));
    return { after, keys, failure: undefined, step: optionalTextAt(payload, "step") };
  },
} as const;

/** What events about alerts are called, and what is taken out of them. */
export const alertPart = {
  kind: "alert",
  names: new Set(["AlertFired", "AlertAcknowledged", "AlertMuted", "AlertResolved"]),
  part(payload: JsonObject): EventPart {
    const after = objectAt(payload, "alert") ?? refuse("there is no alert in it");
    const keys = alertKeysOf({
      id: textAt(after, "id"),
      name: textAt(after, "name"),
      status: nameAt(after, "status", ALERT),
      severity: SEVERITIES.get(optionalTextAt(after, "severity") ?? "") ?? 0,
      startMs: timeAt(after, "startTime") ?? refuse("the alert has no startTime"),
      endMs: timeAt(after, "endTime"),
    });
    return { after, keys, failure: undefined };
  },
} as const;

function searchedMission(mission: JsonObject): SearchedMission {
  const error = objectAt(mission, "error");
  const steps = Array.isArray(mission.steps) ? mission.steps.filter(isObject) : [];
  return {
    id: textAt(mission, "id"),
    name: textAt(mission, "name"),
    status: nameAt(mission, "status", MISSION),
    createMs: timeAt(mission, "createTime") ?? refuse("the mission has no createTime"),
    startMs: timeAt(mission, "startTime"),
    endMs: timeAt(mission, "endTime"),
    labels: textsAt(mission, "labels"),
    errorType: optionalTextAt(error, "type"),
    errorMessage: optionalTextAt(error, "message"),
    correlation: optionalTextAt(mission, "correlationId"),
    steps: steps.map((step) => ({ name: textAt(step, "name"), task: optionalTextAt(step, "task") ?? "" })),
  };
}
