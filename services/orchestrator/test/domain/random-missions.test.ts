import { describe, expect, test } from "@jest/globals";
import type { Mission, Step, StepPlan, Transition } from "../../src/domain/mission.ts";
import { hasEnded } from "../../src/domain/mission-state.ts";
import { checkPlan, ordered } from "../../src/domain/plan.ts";
import { aStep, failed, Life, lost, succeeded } from "../mission-factory.ts";

const SEED = Number(process.env.SEED || 20_261_121);
const LIVES = 1_000;

/** Draws lots from a seed (a linear congruential generator: replayable, nothing more). */
function chanceOf(seed: number) {
  let state = seed % 2 ** 31;
  const next = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  return {
    below: (limit: number): number => Math.floor(next() * limit),
    happens: (share: number): boolean => next() < share,
    pick: <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T,
  };
}
type Lots = ReturnType<typeof chanceOf>;

function randomPlan(lots: Lots): StepPlan[] {
  for (;;) {
    const names = Array.from({ length: 1 + lots.below(6) }, (_, index) => `s${index}`);
    const linear = lots.happens(0.4);
    const pivot = lots.happens(0.4) ? lots.pick(names) : "";
    const steps = names.map((name, index) =>
      aStep(name, {
        after: linear ? [] : names.slice(0, index).filter(() => lots.happens(0.5)),
        noUndo: lots.happens(0.25),
        pivot: name === pivot,
        ...(lots.happens(0.3) && { undoUnknown: { task: `ask.${name}` } }),
      }),
    );
    if (checkPlan(steps).length === 0) return steps;
  }
}

/** Leads a mission through random ends and commands until it has ended, or nobody can think of more. */
function liveOn(life: Life, lots: Lots): void {
  life.begin();
  for (let turn = 0; turn < 60 && !hasEnded(life.mission.status); turn += 1) {
    if (lots.happens(0.04)) life.asks({ kind: "cancel" });
    const open = life.mission.steps.filter(({ status }) => status === "RUNNING" || status === "UNDOING");
    if (life.mission.status === "NEEDS_ATTENTION" && (open.length === 0 || lots.happens(0.3)))
      attend(life, lots);
    else if (open.length > 0)
      life.ends(lots.pick(open).plan.name, lots.pick([succeeded({}), succeeded(), failed(), lost()]));
  }
}

function attend(life: Life, lots: Lots): void {
  const step = life.mission.attention?.step ?? "";
  if (lots.happens(0.4)) life.asks({ kind: "retry" });
  else life.asks({ kind: "resolve", step, outcome: lots.pick(["DONE", "NOT_DONE", "UNDONE"]) });
}

const named = (mission: Mission, name: string): Step | undefined =>
  mission.steps.find(({ plan }) => plan.name === name);
const toUndo = (step: Step): boolean =>
  ["UNKNOWN", "UNDO_FAILED", "UNDOING"].includes(step.status) ||
  (step.status === "SUCCEEDED" && step.plan.undo !== undefined);

/** The rules of a mission, each told the plain way: what a transition may not do, seen from the mission before it. */
function brokenBy(before: Mission, { mission, fact, step }: Transition, byHand: boolean): string[] {
  const broken: string[] = [];
  const holds = (rule: string, sound: boolean): void => {
    if (!sound) broken.push(`${rule} (${fact} ${step})`);
  };
  holds("one version for each transition", mission.version === before.version + 1);
  holds("an end is left by nothing", !hasEnded(before.status));
  holds(
    "a mission turns back once, and never again",
    before.direction === "FORWARD" || mission.direction === "BACK",
  );
  const was = named(before, step);
  if (fact === "MissionStepStarted" && !byHand) {
    holds("no step begins on the way back", before.direction === "FORWARD" && before.status === "RUNNING");
    holds(
      "a step waits for those before it",
      was?.plan.after.every((name) => named(before, name)?.status === "SUCCEEDED") === true,
    );
  }
  if (fact === "MissionStepUndoStarted") {
    const last = Math.max(...before.steps.filter(toUndo).map(({ startOrder }) => startOrder));
    holds("undoing goes in reverse order of starting", was?.startOrder === last);
    holds(
      "nothing runs while something is undone",
      before.steps.every(({ status }) => status !== "RUNNING" && status !== "UNDOING"),
    );
    holds("undoing is part of the way back", mission.direction === "BACK");
    holds(
      "nothing is undone past the pivot",
      !before.steps.some(({ plan, status }) => plan.pivot && status === "SUCCEEDED"),
    );
  }
  if (fact === "MissionNeedsAttention")
    holds("attention says for what", mission.attention?.step === step && step !== "");
  return broken;
}

/** How a mission that has ended has to have ended, from its steps alone. */
function expectedEnd({ steps, cancelRequestMs, direction }: Mission): string {
  if (steps.every(({ status }) => status === "SUCCEEDED")) return "SUCCEEDED";
  if (direction === "FORWARD" && steps.some(({ plan, status }) => plan.pivot && status === "SUCCEEDED"))
    return "FAILED";
  if (steps.some(({ status }) => status === "UNDONE")) return "COMPENSATED";
  return cancelRequestMs === undefined ? "FAILED" : "CANCELLED";
}

describe(`missions drawn by seed ${SEED}`, () => {
  test("I16: keep every rule at every transition, never stand still, and end as their steps say", () => {
    const lots = chanceOf(SEED);
    const ends = new Map<string, number>();
    for (let number = 0; number < LIVES; number += 1) {
      const life = new Life(randomPlan(lots));
      liveOn(life, lots);
      life.transitions.slice(1).forEach((transition, index) => {
        const before = life.transitions[index]?.mission;
        const byHand = life.transitions.slice(0, index + 1).some(({ fact }) => fact === "MissionRetried");
        if (before !== undefined)
          expect([number, brokenBy(before, transition, byHand)]).toEqual([number, []]);
      });
      const { mission } = life;
      const open = mission.steps.some(({ status }) => status === "RUNNING" || status === "UNDOING");
      if (hasEnded(mission.status)) {
        expect([number, mission.status, open]).toEqual([number, expectedEnd(mission), false]);
        if (mission.direction === "BACK")
          expect([number, mission.steps.filter(toUndo)]).toEqual([number, []]);
      } else {
        expect([number, open || mission.status === "NEEDS_ATTENTION"]).toEqual([number, true]);
      }
      const submitted = life.errands.flatMap((errand) => (errand.kind === "submit" ? [errand.jobId] : []));
      expect(new Set(submitted).size).toBe(submitted.length);
      ends.set(mission.status, (ends.get(mission.status) ?? 0) + 1);
    }
    // The draw has to have led everywhere.
    for (const end of ["SUCCEEDED", "FAILED", "COMPENSATED", "CANCELLED"])
      expect(ends.get(end) ?? 0).toBeGreaterThan(10);
  });

  test("end in a line as counting on one's fingers says", () => {
    const lots = chanceOf(SEED + 1);
    for (let number = 0; number < 300; number += 1) {
      const count = 2 + lots.below(5);
      const broken = lots.below(count);
      const life = Life.begun(Array.from({ length: count }, (_, index) => aStep(`s${index}`)));
      for (let index = 0; index < broken; index += 1) life.ends(`s${index}`, succeeded(index));
      life.ends(`s${broken}`, failed());
      for (let index = broken - 1; index >= 0; index -= 1) life.ends(`s${index}`, succeeded());
      const forward = Array.from({ length: broken + 1 }, (_, index) => `do.s${index}`);
      const back = Array.from({ length: broken }, (_, index) => `undo.s${broken - 1 - index}`);
      expect([life.mission.status, life.tasks]).toEqual([
        broken === 0 ? "FAILED" : "COMPENSATED",
        [...forward, ...back],
      ]);
    }
  });

  test("are ordered as they were declared, whatever their shape", () => {
    const lots = chanceOf(SEED + 2);
    for (let number = 0; number < 100; number += 1) {
      const plan = randomPlan(lots);
      expect(ordered(plan).map(({ name }) => name)).toEqual(plan.map(({ name }) => name));
    }
  });
});
