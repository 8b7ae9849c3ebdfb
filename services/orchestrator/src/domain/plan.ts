import type { Json, StepPlan, UndoPlan } from "./mission.ts";
import { findReferences, type Reference } from "./references.ts";

/** Steps that one mission may have. */
export const MAX_STEPS = 64;

/** Why a shape cannot be taken, by field; the fields are those of the contract. */
export interface FieldProblem {
  readonly field: string;
  readonly description: string;
}

/** Steps by name, each with the steps that come before it, near and far. */
type Ancestors = ReadonlyMap<string, ReadonlySet<string>>;

/** The order that holds: as declared, or as written where no step declares any. */
export function ordered(steps: readonly StepPlan[]): readonly StepPlan[] {
  if (steps.some(({ after }) => after.length > 0)) return steps;
  return steps.map((step, index) => {
    const before = steps[index - 1];
    return before === undefined ? step : { ...step, after: [before.name] };
  });
}

/**
 * Holds the shape of a mission against its rules.
 *
 * @param declared - as they came, before `ordered`
 * @returns every problem, in the order of the steps; none where the shape is sound
 */
export function checkPlan(declared: readonly StepPlan[]): readonly FieldProblem[] {
  if (declared.length > MAX_STEPS)
    return [{ field: "steps", description: `are ${declared.length}: at most ${MAX_STEPS}` }];
  const names = new Set(declared.map(({ name }) => name));
  const basic = [...duplicateNames(declared), ...unknownSteps(declared, names), ...undoConflicts(declared)];
  // What follows needs an order to look at.
  if (basic.length > 0) return basic;
  const steps = ordered(declared);
  const cycles = findCycles(steps);
  if (cycles.length > 0) return cycles;
  const ancestors = ancestorsOf(steps);
  return [...pivotProblems(steps, ancestors), ...referenceProblems(steps, names, ancestors)];
}

function duplicateNames(steps: readonly StepPlan[]): readonly FieldProblem[] {
  const first = new Map<string, number>();
  return steps.flatMap(({ name }, index) => {
    const earlier = first.get(name);
    if (earlier === undefined) {
      first.set(name, index);
      return [];
    }
    return [{ field: `steps[${index}].name`, description: `is the name of steps[${earlier}] already` }];
  });
}

function unknownSteps(steps: readonly StepPlan[], names: ReadonlySet<string>): readonly FieldProblem[] {
  return steps.flatMap(({ name, after }, index) =>
    after.flatMap((before, place) => {
      const field = `steps[${index}].after[${place}]`;
      if (before === name) return [{ field, description: "is the step itself: a cycle" }];
      return names.has(before) ? [] : [{ field, description: `names no step of this mission: ${before}` }];
    }),
  );
}

function undoConflicts(steps: readonly StepPlan[]): readonly FieldProblem[] {
  return steps.flatMap(({ undo, noUndo }, index) =>
    noUndo && undo !== undefined
      ? [{ field: `steps[${index}].noUndo`, description: "excludes undo: a step has one of the two" }]
      : [],
  );
}

/** Takes away, again and again, the steps whose predecessors are gone; what is left goes round in a ring. */
function findCycles(steps: readonly StepPlan[]): readonly FieldProblem[] {
  let left: readonly StepPlan[] = steps;
  for (;;) {
    const names = new Set(left.map(({ name }) => name));
    const next = left.filter(({ after }) => after.some((before) => names.has(before)));
    if (next.length === left.length) break;
    left = next;
  }
  const names = new Set(left.map(({ name }) => name));
  return left.flatMap(({ name, after }) => {
    if (!reaches(name, name, left)) return [];
    const index = steps.findIndex((step) => step.name === name);
    const place = after.findIndex((before) => names.has(before) && reaches(before, name, left));
    const ring = `${name} waits for ${after[place] ?? ""}, and that for ${name}`;
    return [{ field: `steps[${index}].after[${place}]`, description: `makes a cycle: ${ring}` }];
  });
}

/** Whether a step waits, directly or through others, for another. */
function reaches(from: string, wanted: string, steps: readonly StepPlan[]): boolean {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const seen = new Set<string>();
  const open = [...(byName.get(from)?.after ?? [])];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (name === wanted) return true;
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...(byName.get(name)?.after ?? []));
  }
  return false;
}

function ancestorsOf(steps: readonly StepPlan[]): Ancestors {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const known = new Map<string, ReadonlySet<string>>();
  const find = (name: string): ReadonlySet<string> => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const after = byName.get(name)?.after ?? [];
    const all = new Set(after.flatMap((before) => [before, ...find(before)]));
    known.set(name, all);
    return all;
  };
  for (const { name } of steps) find(name);
  return known;
}

function pivotProblems(steps: readonly StepPlan[], ancestors: Ancestors): readonly FieldProblem[] {
  const [pivot, ...more] = steps.filter((step) => step.pivot);
  if (pivot === undefined) return [];
  if (more.length > 0) {
    return more.map(({ name }) => ({
      field: `steps[${steps.findIndex((step) => step.name === name)}].pivot`,
      description: `is a second pivot: ${pivot.name} is one already`,
    }));
  }
  const before = ancestors.get(pivot.name) ?? new Set<string>();
  return steps.flatMap(({ name, undo, noUndo }, index) => {
    if (name === pivot.name || ancestors.get(name)?.has(pivot.name) === true) return [];
    if (!before.has(name)) {
      const description = `is neither before nor after the pivot ${pivot.name}`;
      return [{ field: `steps[${index}].after`, description }];
    }
    if (undo !== undefined || noUndo) return [];
    const description = "is missing: a step before the pivot has an undo, or says noUndo: true";
    return [{ field: `steps[${index}].undo`, description }];
  });
}

function referenceProblems(
  steps: readonly StepPlan[],
  names: ReadonlySet<string>,
  ancestors: Ancestors,
): readonly FieldProblem[] {
  return steps.flatMap((step, index) => {
    const before = ancestors.get(step.name) ?? new Set<string>();
    const check = (input: Json | undefined, path: string, may: (reference: Reference) => boolean) =>
      input === undefined
        ? []
        : findReferences(input).flatMap(({ at, reference }) => {
            const field = `steps[${index}].${path}${at}`;
            if ("problem" in reference) return [{ field, description: reference.problem }];
            if (may(reference)) return [];
            const named = "step" in reference ? reference.step : "";
            const why = names.has(named) ? "is not before this one" : "is no step of this mission";
            return [{ field, description: `names ${named}, which ${why}` }];
          });
    const earlier = (reference: Reference): boolean => !("step" in reference) || before.has(reference.step);
    const own = (reference: Reference): boolean => "step" in reference && reference.step === step.name;
    const undone = (undo: UndoPlan | undefined, path: string, may: (reference: Reference) => boolean) =>
      check(undo?.input, `${path}.input`, may);
    return [
      ...check(step.input, "input", earlier),
      ...undone(step.undo, "undo", (reference) => earlier(reference) || own(reference)),
      // What is not known to be done has no output, only its key.
      ...undone(
        step.undoUnknown,
        "undoUnknown",
        (reference) => earlier(reference) || (own(reference) && reference.of === "key"),
      ),
    ];
  });
}
