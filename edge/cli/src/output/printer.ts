import type { Json } from "../api.ts";
import { usage } from "../failure.ts";
import { printable, type Terminal } from "../terminal.ts";
import { linesOf, textOf } from "./columns.ts";
import { alignedTable, type Column, csvTable, type Row, tabbedTable } from "./table.ts";

export const FORMATS = ["table", "wide", "json", "ndjson", "yaml", "name", "csv"] as const;
/** How data is written: in a form of `-o`, or as JSON of the fields that `--json` names. */
export type Format = (typeof FORMATS)[number] | { readonly fields: readonly string[] };

/** Reads `-o` or `--json`; a table where neither is given. */
export function formatOf(output: string | undefined, fields?: string): Format {
  if (fields !== undefined) return { fields: fieldsOf(fields, output) };
  const text = output ?? "table";
  const format = FORMATS.find((one) => one === text);
  if (format === undefined) throw usage(`-o ${text} is not known; known are ${FORMATS.join(", ")}`);
  return format;
}

function fieldsOf(text: string, output: string | undefined): readonly string[] {
  if (output !== undefined) throw usage("-o and --json exclude each other");
  const names = text.split(",").map((name) => name.trim());
  if (names.includes("")) throw usage(`--json ${text} lacks a name; it takes names of fields: id,status`);
  return names;
}

/** A list as the API answered it. */
export interface Listing {
  /** The answer's own text. */
  readonly text: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column[];
  /** The field that names a row. */
  readonly name: string;
}

/** Writes a list as data. JSON is the API's own, to the byte. */
export async function printList(listing: Listing, format: Format, terminal: Terminal): Promise<void> {
  for (const line of await listLines(listing, format, terminal)) terminal.data(line);
}

async function listLines(listing: Listing, format: Format, terminal: Terminal): Promise<readonly string[]> {
  const { text, rows, columns, name } = listing;
  if (typeof format === "object") return [JSON.stringify(rows.map((row) => chosenOf(row, format.fields)))];
  switch (format) {
    case "json":
      return [text];
    case "yaml":
      return [await yamlOf(JSON.parse(text) as Json)];
    case "ndjson":
      return rows.map((row) => JSON.stringify(row));
    case "name":
      return rows.map((row) => textOf(row[name]));
    case "csv":
      return csvTable(
        columns.filter(({ screen = false }) => !screen),
        rows,
      );
    case "table":
    case "wide": {
      const chosen = columns.filter(
        ({ wide = false, screen = false }) =>
          (!wide || format === "wide") && (!screen || terminal.interactive),
      );
      return terminal.interactive ? alignedTable(chosen, rows, terminal) : tabbedTable(chosen, rows);
    }
  }
}

/** Writes one thing as data: fields in lines for a person, and otherwise as a list of one. */
export async function printOne(listing: Listing, format: Format, terminal: Terminal): Promise<void> {
  const [row = {}] = listing.rows;
  if (typeof format === "object") return terminal.data(JSON.stringify(chosenOf(row, format.fields)));
  if (format !== "table" && format !== "wide") return printList(listing, format, terminal);
  const fields = Object.entries(row).filter(([, value]) => value !== undefined && value !== "");
  const width = Math.max(0, ...fields.map(([name]) => name.length));
  for (const [name, value] of fields) {
    if (!terminal.interactive) {
      terminal.data(`${name}\t${printable(textOf(value))}`);
      continue;
    }
    const shown = listing.columns.find(({ title, shown }) => title === name && shown !== undefined)?.shown;
    const lines = shown === undefined ? linesOf(name, value).map(printable) : [shown(row, terminal)];
    const heads = [terminal.paint("gray", name.padEnd(width)), " ".repeat(width)];
    for (const [index, line] of lines.entries()) terminal.data(`${heads[Math.min(index, 1)]}  ${line}`);
  }
}

const chosenOf = (row: Row, fields: readonly string[]): Row =>
  Object.fromEntries(fields.map((name) => [name, row[name]]));

async function yamlOf(value: Json): Promise<string> {
  const { stringify } = await import("yaml");
  return stringify(value).trimEnd();
}
