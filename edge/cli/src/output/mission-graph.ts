import { rowsOf } from "../session.ts";
import { type Paint, printable } from "../terminal.ts";
import { errorOf, textOf } from "./columns.ts";
import { statusText } from "./status-text.ts";
import type { Row } from "./table.ts";

/**
 * Draws a mission: a line for each step in the order in which they can run, those that run side by side joined by a
 * bar, and after it the way back, from the last step to the first. The pivot is the line that no undo crosses.
 */
export function missionGraph(mission: Row, paint: Paint): readonly string[] {
  const steps = rowsOf(mission, "steps");
  const width = Math.max(0, ...steps.map(({ name }) => textOf(name).length));
  const named = (step: Row) => printable(textOf(step.name)).padEnd(width);
  const title = `${paint("bold", printable(textOf(mission.name)))}  ${statusText(textOf(mission.status), paint)}`;
  const forward = levelsOf(steps).flatMap((level, depth) =>
    level.map((step, index) => {
      const joint = level.length === 1 ? "──" : (["┬─", "├─", "└─"][edge(index, level.length)] ?? "├─");
      const task = paint("gray", printable(textOf(step.task)));
      const stands = statusText(textOf(step.status), paint);
      const line = `${String(depth + 1).padStart(3)} ${joint} ${named(step)}  ${stands}`;
      return `${line}  ${task}${step.pivot === true ? "  ⚿ no undo past here" : ""}${why(step)}`;
    }),
  );
  const back = steps.filter(({ undoTask, undoJobId }) => textOf(undoTask) !== "" || textOf(undoJobId) !== "");
  const undo = [...back].reverse().map((step) => {
    const task = paint("gray", printable(textOf(step.undoTask)));
    return `    ↩─ ${named(step)}  ${undoText(step, paint)}  ${task}`;
  });
  const below = undo.length === 0 ? [] : ["", paint("gray", "    the way back"), ...undo];
  return [`${title}${why(mission)}`, ...forward, ...below];
}

const edge = (index: number, count: number): number => (index === 0 ? 0 : index === count - 1 ? 2 : 1);

function why(row: Row): string {
  const text = textOf(row.why) || errorOf(row);
  return text === "" ? "" : `  ${printable(text)}`;
}

/** An undo has not been needed, waits for its turn, is under way, is done, or failed. */
function undoText(step: Row, paint: Paint): string {
  const status = textOf(step.status);
  if (status === "UNDOING" || status === "UNDONE" || status === "UNDO_FAILED")
    return statusText(status, paint);
  return paint("gray", status === "SUCCEEDED" || status === "UNKNOWN" ? "○ not begun" : "· not needed");
}

/** Steps by how many have to be done before them. */
function levelsOf(steps: readonly Row[]): readonly (readonly Row[])[] {
  const levelOf = new Map<string, number>();
  const byName = new Map(steps.map((step) => [textOf(step.name), step]));
  const level = (name: string): number => {
    const known = levelOf.get(name);
    if (known !== undefined) return known;
    const { after } = byName.get(name) ?? {};
    const before = Array.isArray(after) ? (after as readonly string[]).filter((one) => byName.has(one)) : [];
    // A cycle is refused at launch; one that came all the same must not hang the drawing.
    levelOf.set(name, 0);
    const found = before.length === 0 ? 0 : 1 + Math.max(...before.map(level));
    levelOf.set(name, found);
    return found;
  };
  const depths = steps.map(({ name }) => level(textOf(name)));
  return Array.from({ length: Math.max(0, ...depths.map((depth) => depth + 1)) }, (_, depth) =>
    steps.filter((_step, index) => depths[index] === depth),
  );
}
