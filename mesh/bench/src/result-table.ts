import { median } from "./measure.ts";

interface Row {
  readonly unit: string;
  readonly ours: number[];
  readonly theirs: number[];
}

/** The figures of both sides, case by case, and their ratios. */
export class ResultTable {
  readonly #peer: string;
  readonly #rows = new Map<string, Row>();

  constructor(peer: string) {
    this.#peer = peer;
  }

  /** Takes one figure of each side, one after the other; a peer that has no such case gives none. */
  async pair(
    name: string,
    unit: string,
    sides: { ours: () => Promise<number>; theirs?: () => Promise<number> },
  ): Promise<void> {
    this.note(name, unit, await sides.ours(), await sides.theirs?.());
  }

  /** Adds what was measured in one round. */
  note(name: string, unit: string, ours: number, theirs?: number): void {
    const row = this.#rows.get(name) ?? { unit, ours: [], theirs: [] };
    this.#rows.set(name, row);
    row.ours.push(ours);
    if (theirs !== undefined) row.theirs.push(theirs);
  }

  /** The medians of all rounds, with the least and the greatest, and what one side is of the other. */
  lines(): readonly string[] {
    const head = ["", "orrery", this.#peer, "ratio"];
    const cells = [...this.#rows].map(([name, { unit, ours, theirs }]) => [
      name,
      spread(ours, unit),
      theirs.length === 0 ? "" : spread(theirs, unit),
      theirs.length === 0 ? "" : (median(ours) / median(theirs)).toFixed(2),
    ]);
    const widths = head.map((_, column) =>
      Math.max(...[head, ...cells].map((row) => row[column]?.length ?? 0)),
    );
    return [head, ...cells].map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    );
  }
}

function spread(values: readonly number[], unit: string): string {
  return `${figure(median(values))} ${unit} [${figure(Math.min(...values))} to ${figure(Math.max(...values))}]`;
}

const figure = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
