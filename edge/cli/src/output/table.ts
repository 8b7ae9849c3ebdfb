import { stripVTControlCharacters } from "node:util";
import type { Json } from "../api.ts";
import { printable, type Terminal } from "../terminal.ts";

/** One thing of a list, as the API gives it. */
export type Row = Readonly<Record<string, Json | undefined>>;

/** One column of a table. */
export interface Column {
  readonly title: string;
  /** The value for a program: one line, no colour. */
  readonly value: (row: Row) => string;
  /** The same for a person, where it differs. */
  readonly shown?: (row: Row, terminal: Terminal) => string;
  /** Only in `-o wide` and `-o csv`. */
  readonly wide?: boolean;
}

/** Rows for a person: aligned, under titles, cut to the screen. */
export function alignedTable(
  columns: readonly Column[],
  rows: readonly Row[],
  terminal: Terminal,
): readonly string[] {
  const cells = rows.map((row) =>
    columns.map(({ value, shown }) => (shown === undefined ? printable(value(row)) : shown(row, terminal))),
  );
  const widths = columns.map(({ title }, column) =>
    Math.max(title.length, ...cells.map((line) => widthOf(line[column] ?? ""))),
  );
  const titles = columns.map(({ title }, column) => title.padEnd(widths[column] ?? 0));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return [
    terminal.paint("bold", titles.join("  ").trimEnd()),
    ...lines.map((line) => cut(line, terminal.columns)),
  ];
}

/** Rows for a program: titles, then values, with tabs between them. */
export function tabbedTable(columns: readonly Column[], rows: readonly Row[]): readonly string[] {
  const line = (cells: readonly string[]) => cells.map(printable).join("\t");
  return [
    line(columns.map(({ title }) => title)),
    ...rows.map((row) => line(columns.map(({ value }) => value(row)))),
  ];
}

/** Rows as RFC 4180 writes them. */
export function csvTable(columns: readonly Column[], rows: readonly Row[]): readonly string[] {
  const line = (cells: readonly string[]) => cells.map(csvCell).join(",");
  return [
    line(columns.map(({ title }) => title)),
    ...rows.map((row) => line(columns.map(({ value }) => value(row)))),
  ];
}

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const widthOf = (text: string): number => stripVTControlCharacters(text).length;

const padded = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)));

/** A coloured line is left whole where cutting could leave its colour on. */
function cut(line: string, columns: number | undefined): string {
  if (columns === undefined || widthOf(line) <= columns) return line;
  const plain = stripVTControlCharacters(line);
  const tail = line.length - plain.length;
  return tail === 0 ? `${line.slice(0, columns - 1)}…` : `${line.slice(0, columns - 1 + tail)}…`;
}
