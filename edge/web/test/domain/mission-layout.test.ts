import { describe, expect, test } from "@jest/globals";
import type { Mission, MissionStep } from "../../src/api/contract.ts";
import { layOutMission, levelsOf, undoLook } from "../../src/domain/mission-layout.ts";
import { sampleMission } from "../stand-in/sample-missions.ts";

const template = sampleMission(0).steps[1] as MissionStep;
const step = (name: string, after: readonly string[], about: Partial<MissionStep> = {}): MissionStep => {
  const { startTime: _, endTime: __, ...rest } = template;
  return {
    ...rest,
    name,
    after,
    status: "PENDING",
    undoTask: `un${name}`,
    noUndo: false,
    pivot: false,
    ...about,
  };
};
const mission = (steps: readonly MissionStep[], status: Mission["status"] = "RUNNING"): Mission => ({
  ...sampleMission(0),
  status,
  steps,
});
const at = (second: number) => new Date(second * 1_000).toISOString();

describe("the graph of a mission", () => {
  test("puts a step to the right of everything that it waits for", () => {
    const { steps } = layOutMission(
      mission([step("d", ["b", "c"]), step("b", ["a"]), step("c", ["b"]), step("a", [])]),
    );
    const x = Object.fromEntries(steps.map((placed) => [placed.step.name, placed.x]));
    expect([x.a, x.b, x.c, x.d]).toEqual(
      [...steps].map((placed) => placed.x).sort((left, right) => left - right),
    );
  });

  test("lays no box over another, and none outside of its field", () => {
    const wide = Array.from({ length: 12 }, (_, index) =>
      step(`s${index}`, index < 4 ? [] : [`s${index % 4}`]),
    );
    const { steps, width, height } = layOutMission(mission(wide));
    const places = steps.flatMap((one) => [one, one.undo ?? one]).map(({ x, y }) => `${x} ${y}`);
    expect(new Set(places).size).toBe(24);
    for (const { x, y } of steps) expect([x >= 0, y >= 0, x < width, y < height]).not.toContain(false);
  });

  test("draws each undo beneath its step, and the way back from right to left", () => {
    const { steps, edges, undoTop } = layOutMission(mission([step("a", []), step("b", ["a"])]));
    for (const placed of steps) {
      expect(placed.undo?.x).toBe(placed.x);
      expect(placed.undo?.y).toBeGreaterThanOrEqual(undoTop ?? Number.NaN);
    }
    const back = edges.find(({ lane }) => lane === "back")?.path ?? "";
    const [, from, to] = /^M(\d+).* (\d+) \d+$/.exec(back) ?? [];
    expect(Number(from)).toBeGreaterThan(Number(to));
  });

  test("gives the first turn to the undo of the step that began last", () => {
    const parallel = [
      step("slow", [], { status: "SUCCEEDED", startTime: at(1) }),
      step("quick", [], { status: "SUCCEEDED", startTime: at(2) }),
      step("failed", ["slow", "quick"], { status: "FAILED", startTime: at(3) }),
    ];
    const { steps } = layOutMission(mission(parallel, "COMPENSATING"));
    expect(steps.map(({ step: { name }, undo }) => [name, undo?.turn])).toEqual([
      ["slow", 2],
      ["quick", 1],
      ["failed", undefined],
    ]);
  });

  test("has no lane back where nothing can be undone", () => {
    const { undoTop, steps } = layOutMission(mission([step("a", [], { undoTask: "", noUndo: true })]));
    expect(undoTop).toBeUndefined();
    expect(steps[0]?.undo).toBeUndefined();
  });

  test("ends with a cycle too, which only a broken platform could send", () => {
    expect(levelsOf([step("a", ["b"]), step("b", ["a"])]).flat()).toHaveLength(2);
  });
});

describe("an undo", () => {
  const done = step("a", [], { status: "SUCCEEDED" });
  test.each([
    ["RUNNING", done, "if need be"],
    ["COMPENSATING", done, "waits its turn"],
    ["SUCCEEDED", done, "not needed"],
    ["COMPENSATING", step("a", [], { status: "FAILED" }), "not needed"],
    ["COMPENSATED", step("a", [], { status: "UNDONE" }), "undone"],
    ["NEEDS_ATTENTION", step("a", [], { status: "UNDO_FAILED" }), "undo failed"],
    ["NEEDS_ATTENTION", step("a", [], { status: "UNKNOWN" }), "outcome unknown"],
    ["COMPENSATING", step("a", [], { status: "UNKNOWN", undoUnknownTask: "look" }), "will settle it"],
  ] as const)("in a mission that is %s stands as it should (%#)", (status, one, word) => {
    expect(undoLook(mission([one], status), one).word).toBe(word);
  });

  test("is not needed any more once the pivot has succeeded", () => {
    const pivot = step("p", ["a"], { pivot: true, status: "SUCCEEDED", undoTask: "" });
    expect(undoLook(mission([done, pivot], "NEEDS_ATTENTION"), done).word).toBe("not needed");
  });
});
