import { describe, expect, test } from "@jest/globals";
import type { StepPlan } from "../../src/domain/mission.ts";
import { checkPlan, MAX_STEPS, ordered } from "../../src/domain/plan.ts";
import { aStep } from "../mission-factory.ts";

const fieldsOf = (steps: readonly StepPlan[]): string[] => checkPlan(steps).map(({ field }) => field);
const bare = (name: string, changes: Partial<StepPlan> = {}): StepPlan => {
  const { undo: _undo, ...step } = aStep(name);
  return { ...step, ...changes };
};
const from = (reference: string) => ({ x: [{ $from: reference }] });

describe("a sound shape", () => {
  test.each<[string, readonly StepPlan[]]>([
    ["one step without an undo, where no pivot is", [bare("a")]],
    ["the most steps that there may be", Array.from({ length: MAX_STEPS }, (_, index) => aStep(`s${index}`))],
    [
      "branches that meet",
      [
        aStep("a"),
        aStep("b", { after: ["a"] }),
        aStep("c", { after: ["a"] }),
        aStep("d", { after: ["b", "c"] }),
      ],
    ],
    ["a step that is written before the one that it waits for", [aStep("b", { after: ["a"] }), aStep("a")]],
    [
      "a pivot, undoes before it and none after it",
      [aStep("a"), aStep("b", { noUndo: true }), bare("p", { pivot: true }), bare("z")],
    ],
    [
      "references to earlier steps, near and far",
      [
        aStep("a"),
        aStep("b"),
        aStep("c", { input: [from("steps.a.output.x.0"), from("input"), from("steps.b.idempotencyKey")] }),
      ],
    ],
    [
      "an undo that refers to its own step",
      [
        aStep("a", {
          undo: { task: "u", input: from("steps.a.output") },
          undoUnknown: { task: "q", input: from("steps.a.idempotencyKey") },
        }),
      ],
    ],
  ])("is %s", (_, steps) => {
    expect(checkPlan(steps)).toEqual([]);
  });
});

describe("a shape is refused by field for", () => {
  test.each<[string, readonly StepPlan[], readonly string[]]>([
    [
      "more steps than 64",
      Array.from({ length: MAX_STEPS + 1 }, (_, index) => aStep(`s${index}`)),
      ["steps"],
    ],
    ["two steps of one name", [aStep("a"), aStep("b"), aStep("a")], ["steps[2].name"]],
    ["a step that is unknown", [aStep("a"), aStep("b", { after: ["a", "nobody"] })], ["steps[1].after[1]"]],
    ["a step that waits for itself", [aStep("a", { after: ["a"] })], ["steps[0].after[0]"]],
    [
      "a cycle of two",
      [aStep("a", { after: ["b"] }), aStep("b", { after: ["a"] })],
      ["steps[0].after[0]", "steps[1].after[0]"],
    ],
    [
      "a cycle behind a sound beginning, and not what hangs on it",
      [
        aStep("s"),
        aStep("a", { after: ["s", "c"] }),
        aStep("b", { after: ["a"] }),
        aStep("c", { after: ["b"] }),
        aStep("z", { after: ["c"] }),
      ],
      ["steps[1].after[1]", "steps[2].after[0]", "steps[3].after[0]"],
    ],
    ["undo together with noUndo", [aStep("a", { undo: { task: "u" }, noUndo: true })], ["steps[0].noUndo"]],
    ["a second pivot", [aStep("a", { pivot: true }), aStep("b", { pivot: true })], ["steps[1].pivot"]],
    [
      "a step beside the pivot",
      [aStep("a"), aStep("p", { after: ["a"], pivot: true }), aStep("b", { after: ["a"] })],
      ["steps[2].after"],
    ],
    [
      "a step before the pivot with neither undo nor noUndo",
      [bare("a"), aStep("p", { pivot: true })],
      ["steps[0].undo"],
    ],
    [
      "a reference to an unknown step",
      [aStep("a", { input: from("steps.z.output") })],
      ["steps[0].input.x[0].$from"],
    ],
    [
      "a reference to a later step",
      [aStep("a", { input: from("steps.b.output") }), aStep("b")],
      ["steps[0].input.x[0].$from"],
    ],
    [
      "a reference to a step beside it",
      [aStep("r"), aStep("a", { after: ["r"] }), aStep("b", { after: ["r"], input: from("steps.a.output") })],
      ["steps[2].input.x[0].$from"],
    ],
    ["a reference to itself", [aStep("a", { input: from("steps.a.output") })], ["steps[0].input.x[0].$from"]],
    [
      "an undo of the unknown that needs an output",
      [aStep("a", { undoUnknown: { task: "u", input: from("steps.a.output") } })],
      ["steps[0].undoUnknown.input.x[0].$from"],
    ],
    [
      "an undo that refers to a later step",
      [aStep("a", { undo: { task: "u", input: from("steps.b.output") } }), aStep("b")],
      ["steps[0].undo.input.x[0].$from"],
    ],
    [
      "a reference of no known form",
      [aStep("a", { input: from("outputs.a") })],
      ["steps[0].input.x[0].$from"],
    ],
    ["a reference that is no text", [aStep("a", { input: { $from: 1 } })], ["steps[0].input.$from"]],
    [
      "a reference that does not stand alone",
      [aStep("a", { input: { $from: "input", or: 1 } })],
      ["steps[0].input.$from"],
    ],
    ["an empty segment", [aStep("a", { input: from("input..a") })], ["steps[0].input.x[0].$from"]],
    [
      "more than the key of a key",
      [aStep("a"), aStep("b", { input: from("steps.a.idempotencyKey.x") })],
      ["steps[1].input.x[0].$from"],
    ],
  ])("%s", (_, steps, fields) => {
    expect(fieldsOf(steps)).toEqual(fields);
  });
});

test("steps run as written where none says after, and as declared where one does", () => {
  expect(ordered([aStep("a"), aStep("b"), aStep("c")]).map(({ after }) => after)).toEqual([[], ["a"], ["b"]]);
  const declared = [aStep("a"), aStep("b"), aStep("c", { after: ["a"] })];
  expect(ordered(declared)).toBe(declared);
});
