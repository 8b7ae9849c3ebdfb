import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { CreateMissionRequestSchema } from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import { valueFrom } from "@orrery/mesh/transport/json-value";
import { launchFromWire } from "../../../src/adapters/rpc/plan-wire.ts";
import { INPUT_BYTES } from "../../../src/application/limits.ts";

const caller = { project: "demo", principal: "ann", correlationId: "c", traceparent: "t" };
const launchOf = (request: MessageInitShape<typeof CreateMissionRequestSchema>) =>
  launchFromWire(create(CreateMissionRequestSchema, { name: "m", ...request }), caller);
const faultOf = (request: MessageInitShape<typeof CreateMissionRequestSchema>): Fault => {
  try {
    launchOf(request);
  } catch (failure) {
    if (failure instanceof Fault) return failure;
    throw failure;
  }
  throw new Error("it was taken");
};
const text = (bytes: number) => valueFrom(JSON.stringify("x".repeat(bytes - 2)));
const step = { name: "a", task: "t" };

describe("a launch", () => {
  test("has its defaults filled in, and its values as they came", () => {
    const undo = { task: "u", input: valueFrom("[1]") };
    const { steps, ...terms } = launchOf({
      input: valueFrom("null"),
      steps: [{ ...step, undo, timeout: { nanos: 500_000_000 } }],
    });
    expect(terms).toEqual({ ...caller, name: "m", labels: {}, inputText: "null" });
    expect(steps).toEqual([
      {
        ...step,
        queue: "default",
        after: [],
        noUndo: false,
        pivot: false,
        undo: { task: "u", input: [1] },
        timeoutMs: 500,
      },
    ]);
  });

  test("may have inputs of 192 KiB, and not a byte more", () => {
    expect(launchOf({ input: text(INPUT_BYTES), steps: [step] }).inputText).toHaveLength(INPUT_BYTES);
    const fault = faultOf({ input: text(INPUT_BYTES + 1), steps: [step] });
    expect([fault.reason, fault.fieldViolations[0]?.field]).toEqual(["BODY_TOO_LARGE", "input"]);
    const ofStep = faultOf({
      steps: [step, { ...step, name: "b", undo: { task: "u", input: text(INPUT_BYTES + 1) } }],
    });
    expect(ofStep.fieldViolations[0]?.field).toBe("steps[1].undo.input");
  });

  test("may not be larger as a whole than the edge takes", () => {
    const large = { input: text(INPUT_BYTES / 2) };
    const steps = ["a", "b", "c"].map((name) => ({ ...step, name, ...large }));
    expect(faultOf({ steps })).toMatchObject({
      reason: "BODY_TOO_LARGE",
      fieldViolations: [{ field: "steps" }],
    });
  });

  test("is refused with every field at fault", () => {
    const fault = faultOf({
      steps: [
        { ...step, after: ["x"] },
        { ...step, after: ["y"] },
      ],
    });
    expect(fault.reason).toBe("INVALID_REQUEST");
    expect(fault.fieldViolations.map(({ field }) => field)).toEqual([
      "steps[1].name",
      "steps[0].after[0]",
      "steps[1].after[0]",
    ]);
  });

  test("takes no number that JSON does not have, and nothing deeper than a message can be", () => {
    const nan = { kind: { case: "numberValue" as const, value: Number.NaN } };
    expect(faultOf({ input: nan, steps: [step] })).toMatchObject({ reason: "INVALID_REQUEST" });
    const deep = valueFrom(`${"[".repeat(33)}${"]".repeat(33)}`);
    expect(faultOf({ input: deep, steps: [step] }).fieldViolations[0]?.field).toBe("input");
  });
});
