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
  /** Only in a table on a person's screen. */
  readonly screen?: boolean;
}

const GAP = "  ";
/** The last column keeps so much, even where the screen is too narrow: then its lines wrap. */
const LAST_COLUMN_LEAST = 20;

/** Rows for a person: aligned, under titles, the last column cut where the screen ends. */
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
  const last = columns.length - 1;
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + GAP.length, 0);
  const room = Math.max(LAST_COLUMN_LEAST, (terminal.columns ?? Number.POSITIVE_INFINITY) - before);
  const lineOf = (line: readonly string[]) =>
    line
      .map((cell, column) => (column === last ? cut(cell, room) : padded(cell, widths[column] ?? 0)))
      .join(GAP)
      .trimEnd();
  return [terminal.paint("bold", lineOf(columns.map(({ title }) => title))), ...cells.map(lineOf)];
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

const cut = (text: string, room: number): string =>
  text.length <= room ? text : `${text.slice(0, room - 1)}…`;
