import { readFileSync } from "node:fs";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { labelsOf, readInput, streamText } from "../input.ts";
import { MISSION_COLUMNS, textOf } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import type { Row } from "../output/table.ts";
import { madeLine, objectOf, type Session } from "../session.ts";

export interface LaunchFlags {
  readonly input?: string;
  readonly set: readonly string[];
  readonly name?: string;
  readonly label: readonly string[];
  readonly idempotencyKey?: string;
  readonly dryRun?: boolean;
}

/** `mission launch`: launches what a file declares, prints the mission's id and address, and ends. */
export async function launchMission(session: Session, file: string, flags: LaunchFlags): Promise<ExitCode> {
  const { api, format, terminal } = session;
  const body = await bodyOf(session, file, flags);
  if (flags.dryRun) {
    terminal.data(body);
    return EXIT.done;
  }
  const headers = flags.idempotencyKey === undefined ? {} : { "idempotency-key": flags.idempotencyKey };
  const { text } = await api.send("POST", "/v1/missions", { body, headers });
  const mission = objectOf(text);
  const id = textOf(mission.id);
  if (format === "table" || format === "wide") {
    terminal.data(madeLine(session, "missions", id));
  } else {
    await printList({ text, rows: [mission], columns: MISSION_COLUMNS, name: "id" }, format, terminal);
  }
  return EXIT.done;
}

async function bodyOf({ surroundings }: Session, file: string, flags: LaunchFlags): Promise<string> {
  const text = file === "-" ? await streamText(surroundings.stdin) : textIn(file);
  const changes = changesOf(flags);
  const input = await readInput(flags.input, flags.set, surroundings.stdin);
  const isJson = text.trimStart().startsWith("{");
  // JSON goes out as it was written: parsing it here could round a number that the edge would refuse.
  if (isJson && input === undefined && Object.keys(changes).length === 0) return text.trim();
  const declared = await parsed(text, file);
  const head = JSON.stringify({
    ...declared,
    ...changes,
    ...(input === undefined ? {} : { input: undefined }),
  });
  return input === undefined ? head : `${head.slice(0, -1)},"input":${input}}`;
}

function changesOf({ name, label }: LaunchFlags): Row {
  return {
    ...(name === undefined ? {} : { name }),
    ...(label.length === 0 ? {} : { labels: labelsOf(label) }),
  };
}

/** YAML 1.2 holds JSON. */
async function parsed(text: string, file: string): Promise<Row> {
  const { parse } = await import("yaml");
  try {
    const value: unknown = parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Row;
  } catch (error) {
    throw usage(`${file} is neither JSON nor YAML: ${(error as Error).message.split("\n")[0] ?? ""}`);
  }
  throw usage(`${file} declares no mission: an object with name and steps`);
}

function textIn(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw usage(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
