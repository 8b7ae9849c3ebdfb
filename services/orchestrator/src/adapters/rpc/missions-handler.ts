import type { JsonObject } from "@bufbuild/protobuf";
import { Mission_Status } from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import {
  CancelMissionRequestSchema,
  CreateMissionRequestSchema,
  MissionsService,
  ResolveMissionRequest_Outcome,
  ResolveMissionRequestSchema,
  RetryMissionRequestSchema,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { keyedRequest } from "@orrery/mesh/idempotency/keys";
import type { Watches } from "@orrery/mesh/outbox/watch";
import { sendWatch } from "@orrery/mesh/outbox/watch-frames";
import type { ItemBudget } from "@orrery/mesh/telemetry/item-budget";
import { callerOf, type Route, serve } from "@orrery/mesh/transport/route";
import type { commandMission } from "../../application/command-mission.ts";
import type { Answer, launchMission } from "../../application/launch-mission.ts";
import type { listMissions, readMission } from "../../application/read-missions.ts";
import type { Mission, Outcome } from "../../domain/mission.ts";
import { MISSION_STATUSES, type MissionStatus } from "../../domain/mission-state.ts";
import { missionFromBytes, missionToJson, missionToWire } from "./mission-wire.ts";
import { idBehind, pageToken } from "./page-token.ts";
import { launchFromWire } from "./plan-wire.ts";

/** The use cases that MissionsService renders. */
export interface MissionsUse {
  readonly launch: ReturnType<typeof launchMission>;
  readonly command: ReturnType<typeof commandMission>;
  readonly read: ReturnType<typeof readMission>;
  readonly list: ReturnType<typeof listMissions>;
  readonly watches: Watches<Mission>;
  /** For missions: one request brings up to 64 jobs, and what undoes them. */
  readonly traces: ItemBudget;
}

/** MissionsService, a line or two for each RPC. */
export function missionsRoute(use: MissionsUse): Route {
  return serve(MissionsService, {
    createMission: async (request, call) => {
      const asking = callerOf(call);
      const caller = { ...asking, traceparent: use.traces(asking.traceparent) };
      const keyed = keyedRequest("CreateMission", CreateMissionRequestSchema, request, caller.project);
      const { mission, replayed } = answered(await use.launch(launchFromWire(request, caller), keyed));
      // Answers are stored without the input, which is in the request.
      if (replayed && request.input !== undefined) mission.input = request.input;
      return { mission, replayed };
    },
    getMission: async ({ id }, call) => ({
      mission: missionToWire(await use.read(callerOf(call).project, known(id))),
    }),
    listMissions: async ({ status, pageSize, pageToken: token }, call) => {
      const { project } = callerOf(call);
      const wanted = statusFrom(status);
      const scope = { project, status: wanted ?? "" };
      const asked = { status: wanted, beforeId: idBehind(token, scope), pageSize };
      const { missions, more } = await use.list(project, asked);
      const last = missions.at(-1);
      const nextPageToken = more && last !== undefined ? pageToken(scope, last.id) : "";
      return { missions: missions.map(missionToWire), nextPageToken };
    },
    cancelMission: async (request, call) => {
      const { id, reason: note } = request;
      const caller = callerOf(call);
      const keyed = keyedRequest("CancelMission", CancelMissionRequestSchema, request, caller.project);
      return answered(await use.command({ id: known(id), command: { kind: "cancel" }, note, keyed }, caller));
    },
    retryMission: async (request, call) => {
      const { id, reason: note } = request;
      const caller = callerOf(call);
      const keyed = keyedRequest("RetryMission", RetryMissionRequestSchema, request, caller.project);
      return answered(await use.command({ id: known(id), command: { kind: "retry" }, note, keyed }, caller));
    },
    resolveMission: async (request, call) => {
      const { id, step, note } = request;
      const caller = callerOf(call);
      const keyed = keyedRequest("ResolveMission", ResolveMissionRequestSchema, request, caller.project);
      const command = { kind: "resolve" as const, step, outcome: outcomeFrom(request.outcome) };
      return answered(await use.command({ id: known(id), command, note, keyed }, caller));
    },
    watchMission: ({ id, lastEventId }, call) =>
      sendWatch(
        use.watches,
        { project: callerOf(call).project, id: known(id), lastEventId },
        { call, snapshot },
      ),
  });
}

/** Ids are kept in lower case; a UUID means the same in any (RFC 9562, section 4). */
const known = (id: string): string => id.toLowerCase();

const answered = (answer: Answer) =>
  "mission" in answer
    ? { mission: missionToWire(answer.mission), replayed: false }
    : { mission: missionFromBytes(answer.replay), replayed: true };

function statusFrom(status: Mission_Status): MissionStatus | undefined {
  if (status === Mission_Status.STATUS_UNSPECIFIED) return undefined;
  const name = Mission_Status[status] as MissionStatus;
  if (MISSION_STATUSES.includes(name)) return name;
  throw invalid("status", "is none that this release knows");
}

function outcomeFrom(outcome: ResolveMissionRequest_Outcome): Outcome {
  switch (outcome) {
    case ResolveMissionRequest_Outcome.DONE:
      return "DONE";
    case ResolveMissionRequest_Outcome.NOT_DONE:
      return "NOT_DONE";
    case ResolveMissionRequest_Outcome.UNDONE:
      return "UNDONE";
    default:
      throw invalid("outcome", "must be DONE, NOT_DONE or UNDONE");
  }
}

const invalid = (field: string, description: string): Fault =>
  new Fault("INVALID_REQUEST", {
    detail: `${field} ${description}`,
    fieldViolations: [{ field, description }],
  });

const snapshot = (mission: Mission) => ({
  version: mission.version,
  data: missionToJson(mission) as JsonObject,
});
