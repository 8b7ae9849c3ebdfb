import { durationMs, type Value } from "@bufbuild/protobuf/wkt";
import type { MissionStepSpec, UndoSpec } from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import type { CreateMissionRequest } from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { jsonText } from "@orrery/mesh/transport/json-value";
import { INPUT_BYTES, PLAN_BYTES } from "../../application/limits.ts";
import type { Caller } from "../../application/ports.ts";
import type { Launch } from "../../domain/decisions.ts";
import type { Json, StepPlan, UndoPlan } from "../../domain/mission.ts";
import { checkPlan } from "../../domain/plan.ts";

const DEFAULT_QUEUE = "default";

/**
 * Reads a launch, holding its shape against the rules.
 *
 * @throws Fault `INVALID_REQUEST` naming every field at fault · `BODY_TOO_LARGE`
 */
export function launchFromWire(request: CreateMissionRequest, caller: Caller): Launch {
  const inputText = jsonText(request.input, { field: "input", limitBytes: INPUT_BYTES });
  const steps = request.steps.map((spec, index) => planFrom(spec, `steps[${index}]`));
  const fieldViolations = checkPlan(steps);
  if (fieldViolations.length > 0) {
    const detail = fieldViolations.map(({ field, description }) => `${field} ${description}`).join("; ");
    throw new Fault("INVALID_REQUEST", { detail, fieldViolations });
  }
  const bytes = Buffer.byteLength(JSON.stringify(steps));
  if (bytes > PLAN_BYTES) {
    const description = `are ${bytes} bytes of JSON; at most ${PLAN_BYTES} (${PLAN_BYTES / 1024} KiB) are taken`;
    const tooLarge = [{ field: "steps", description }];
    throw new Fault("BODY_TOO_LARGE", { detail: `steps ${description}`, fieldViolations: tooLarge });
  }
  return { ...caller, name: request.name, labels: request.labels, inputText, steps };
}

function planFrom(spec: MissionStepSpec, path: string): StepPlan {
  return {
    name: spec.name,
    task: spec.task,
    queue: spec.queue ?? DEFAULT_QUEUE,
    after: spec.after,
    noUndo: spec.noUndo,
    pivot: spec.pivot,
    ...inputField(spec.input, path),
    ...(spec.undo && { undo: undoFrom(spec.undo, `${path}.undo`) }),
    ...(spec.undoUnknown && { undoUnknown: undoFrom(spec.undoUnknown, `${path}.undoUnknown`) }),
    ...(spec.timeout && { timeoutMs: Math.floor(durationMs(spec.timeout)) }),
    ...(spec.maxAttempts !== undefined && { maxAttempts: spec.maxAttempts }),
  };
}

const undoFrom = ({ task, input }: UndoSpec, path: string): UndoPlan => ({
  task,
  ...inputField(input, path),
});

function inputField(value: Value | undefined, path: string): { input?: Json } {
  const text = jsonText(value, { field: `${path}.input`, limitBytes: INPUT_BYTES });
  return text === undefined ? {} : { input: JSON.parse(text) as Json };
}
