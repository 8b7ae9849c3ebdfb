import type { Mission, MissionStep } from "../api/contract.ts";
import type { Look } from "./status-look.ts";
import { hasEnded, lookOf } from "./status-look.ts";

/** A step in the graph; `x` and `y` are its upper left corner, in CSS pixels. */
export interface PlacedStep {
  readonly step: MissionStep;
  readonly x: number;
  readonly y: number;
  /** What would undo it, beneath it in the lane back; undefined where nothing does. */
  readonly undo: PlacedUndo | undefined;
}

export interface PlacedUndo {
  readonly look: Look;
  readonly x: number;
  readonly y: number;
  /** Its turn on the way back, from 1; undefined where it is not needed. */
  readonly turn: number | undefined;
  readonly task: string;
  readonly jobId: string;
  /** Whether it is more than a plan. */
  readonly begun: boolean;
}

/** A line between two boxes, from the edge of one to the edge of the other. */
export interface Edge {
  readonly path: string;
  readonly lane: "forward" | "back" | "down";
  /** Whether what it leads to has begun. */
  readonly taken: boolean;
}

export interface MissionLayout {
  readonly steps: readonly PlacedStep[];
  readonly edges: readonly Edge[];
  readonly width: number;
  readonly height: number;
  /** Where the lane back begins; undefined where no step has an undo. */
  readonly undoTop: number | undefined;
}

export const BOX = { width: 156, height: 54 } as const;
const GAP = { across: 44, down: 14 } as const;
const MARGIN = { left: 14, top: 34, between: 62, bottom: 14 } as const;
const ACROSS = BOX.width + GAP.across;
const DOWN = BOX.height + GAP.down;

/**
 * Places a mission's whole shape, begun or not: steps from left to right by what they wait for, and beneath them, in
 * mirror image, what undoes them from right to left.
 */
export function layOutMission(mission: Mission): MissionLayout {
  const levels = levelsOf(mission.steps);
  const rows = Math.max(1, ...levels.map((level) => level.length));
  const turns = undoTurns(mission.steps, levels);
  const undoTop = !mission.steps.some(hasUndo)
    ? undefined
    : MARGIN.top + rows * DOWN - GAP.down + MARGIN.between;
  const steps = levels.flatMap((level, column) =>
    level.map((step, row): PlacedStep => {
      const x = MARGIN.left + column * ACROSS;
      // A level with fewer steps than the widest one stands in its middle.
      const y = MARGIN.top + (row + (rows - level.length) / 2) * DOWN;
      if (undoTop === undefined || !hasUndo(step)) return { step, x, y, undo: undefined };
      const at = { x, y: undoTop + y - MARGIN.top, turn: turns.get(step.name) };
      return { step, x, y, undo: placeUndo(mission, step, at) };
    }),
  );
  const lanes =
    undoTop === undefined ? rows * DOWN - GAP.down : 2 * (rows * DOWN - GAP.down) + MARGIN.between;
  return {
    steps,
    edges: edgesOf(steps),
    undoTop,
    width: 2 * MARGIN.left + levels.length * ACROSS - GAP.across,
    height: MARGIN.top + lanes + MARGIN.bottom,
  };
}

function placeUndo(
  mission: Mission,
  step: MissionStep,
  at: { x: number; y: number; turn: number | undefined },
): PlacedUndo {
  return {
    ...at,
    look: undoLook(mission, step),
    task:
      step.status === "UNKNOWN"
        ? step.undoUnknownTask || step.undoTask
        : step.undoTask || step.undoUnknownTask,
    jobId: step.undoJobId,
    begun: ["UNDOING", "UNDONE", "UNDO_FAILED"].includes(step.status),
  };
}

/** How the undo of a step stands: not needed, planned, next on the way back, under way, done or failed. */
export function undoLook(mission: Mission, step: MissionStep): Look {
  if (step.status === "UNDOING" || step.status === "UNDONE" || step.status === "UNDO_FAILED")
    return lookOf(step.status);
  const wayBack = mission.status === "COMPENSATING" || mission.status === "NEEDS_ATTENTION";
  const past = mission.steps.some(({ pivot, status }) => pivot && status === "SUCCEEDED");
  if (step.status === "UNKNOWN")
    return step.undoUnknownTask === ""
      ? { word: "outcome unknown", tone: "bad", shape: "question" }
      : { word: "will settle it", tone: "warn", shape: "ring" };
  if (step.status === "SUCCEEDED" && wayBack && !past)
    return { word: "waits its turn", tone: "warn", shape: "ring" };
  if (past || hasEnded(mission.status) || wayBack)
    return { word: "not needed", tone: "quiet", shape: "dash" };
  return { word: "if need be", tone: "quiet", shape: "ring" };
}

/** Steps by how many have to be done before them; a cycle, which is refused at launch, must not hang the drawing. */
export function levelsOf(steps: readonly MissionStep[]): readonly (readonly MissionStep[])[] {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const depths = new Map<string, number>();
  const depthOf = (name: string): number => {
    const known = depths.get(name);
    if (known !== undefined) return known;
    depths.set(name, 0);
    const before = (byName.get(name)?.after ?? []).filter((one) => byName.has(one));
    const depth = before.length === 0 ? 0 : 1 + Math.max(...before.map(depthOf));
    depths.set(name, depth);
    return depth;
  };
  const levels: MissionStep[][] = [];
  for (const step of steps) {
    const depth = depthOf(step.name);
    while (levels.length <= depth) levels.push([]);
    levels[depth]?.push(step);
  }
  return levels;
}

const hasUndo = ({ undoTask, undoUnknownTask }: MissionStep): boolean =>
  undoTask !== "" || undoUnknownTask !== "";

/** The turn of each undo: what began last is undone first; what has not begun stands as planned. */
function undoTurns(
  steps: readonly MissionStep[],
  levels: readonly (readonly MissionStep[])[],
): ReadonlyMap<string, number> {
  const level = new Map(levels.flatMap((one, depth) => one.map(({ name }) => [name, depth] as const)));
  const written = new Map(steps.map(({ name }, index) => [name, index]));
  const began = (step: MissionStep) => step.startTime ?? "~";
  const undoable = steps.filter(
    (step) => hasUndo(step) && step.status !== "FAILED" && step.status !== "SKIPPED",
  );
  const back = [...undoable].sort(
    (left, right) =>
      (began(right) > began(left) ? 1 : began(right) < began(left) ? -1 : 0) ||
      (level.get(right.name) ?? 0) - (level.get(left.name) ?? 0) ||
      (written.get(right.name) ?? 0) - (written.get(left.name) ?? 0),
  );
  return new Map(back.map(({ name }, index) => [name, index + 1]));
}

function edgesOf(placed: readonly PlacedStep[]): readonly Edge[] {
  const byName = new Map(placed.map((one) => [one.step.name, one]));
  const edges: Edge[] = [];
  for (const to of placed) {
    for (const name of to.step.after) {
      const from = byName.get(name);
      if (from === undefined) continue;
      const taken = to.step.status !== "PENDING" && to.step.status !== "SKIPPED";
      edges.push({ lane: "forward", taken, path: across(from.x + BOX.width, from.y, to.x, to.y) });
      if (from.undo && to.undo)
        edges.push({
          lane: "back",
          taken: from.undo.begun && to.undo.begun,
          path: across(to.undo.x, to.undo.y, from.undo.x + BOX.width, from.undo.y),
        });
    }
    // Where steps stand above each other the line would cross the others: there the names join the two.
    const alone = placed.every((one) => one === to || one.x !== to.x);
    if (to.undo && alone) edges.push({ lane: "down", taken: to.undo.begun, path: down(to, to.undo) });
  }
  return edges;
}

const middle = BOX.height / 2;

/** A curve between the sides of two boxes, given the heights of their tops. */
function across(fromX: number, fromTop: number, toX: number, toTop: number): string {
  const half = (toX - fromX) / 2;
  const [fromY, toY] = [fromTop + middle, toTop + middle];
  return `M${fromX} ${fromY} C${fromX + half} ${fromY} ${toX - half} ${toY} ${toX} ${toY}`;
}

function down(step: PlacedStep, undo: PlacedUndo): string {
  const x = step.x + BOX.width / 2;
  return `M${x} ${step.y + BOX.height} V${undo.y}`;
}
