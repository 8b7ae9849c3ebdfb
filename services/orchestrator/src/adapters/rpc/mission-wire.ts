import { create, fromBinary, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type Mission,
  Mission_Status,
  type MissionError,
  MissionErrorSchema,
  MissionSchema,
  type MissionStep,
  MissionStep_Status,
  MissionStepSchema,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import { valueFrom } from "@orrery/mesh/transport/json-value";
import {
  type MissionError as DomainError,
  type Mission as DomainMission,
  errorOf,
  type Step,
} from "../../domain/mission.ts";

/** Renders a mission for its reader. */
export function missionToWire(mission: DomainMission): Mission {
  const error = errorOf(mission);
  return create(MissionSchema, {
    id: mission.id,
    project: mission.project,
    name: mission.name,
    status: Mission_Status[mission.status],
    version: mission.version,
    labels: { ...mission.labels },
    correlationId: mission.correlationId,
    steps: mission.steps.map(stepToWire),
    ...timeField("createTime", mission.createMs),
    ...timeField("startTime", mission.startMs),
    ...timeField("endTime", mission.endMs),
    ...timeField("cancelRequestTime", mission.cancelRequestMs),
    ...(error && { error: errorToWire(error) }),
    ...(mission.inputText !== undefined && { input: valueFrom(mission.inputText) }),
  });
}

function stepToWire({ plan, ...step }: Step): MissionStep {
  return create(MissionStepSchema, {
    name: plan.name,
    status: MissionStep_Status[step.status],
    jobId: step.jobId,
    undoJobId: step.undoJobId,
    task: plan.task,
    queue: plan.queue,
    after: [...plan.after],
    undoTask: plan.undo?.task ?? "",
    undoUnknownTask: plan.undoUnknown?.task ?? "",
    noUndo: plan.noUndo,
    pivot: plan.pivot,
    ...timeField("startTime", step.startMs),
    ...timeField("endTime", step.endMs),
    ...(step.error && { error: errorToWire(step.error) }),
  });
}

const errorToWire = ({ type, message, step }: DomainError): MissionError =>
  create(MissionErrorSchema, { type, message, step });

const timeField = (name: string, ms: number | undefined) =>
  ms === undefined ? {} : { [name]: timestampFromMs(ms) };

/** The ProtoJSON of a mission, as events and snapshots carry it. */
export const missionToJson = (mission: DomainMission): JsonValue =>
  toJson(MissionSchema, missionToWire(mission), { alwaysEmitImplicit: true });

/** An answer as it is stored beside its idempotency key, and back. */
export const missionToBytes = (mission: DomainMission): Uint8Array =>
  toBinary(MissionSchema, missionToWire({ ...mission, inputText: undefined }));
export const missionFromBytes = (bytes: Uint8Array): Mission => fromBinary(MissionSchema, bytes);
