import { EXIT, type ExitCode } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { MISSION_COLUMNS, textOf } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import { objectOf, type Session } from "../session.ts";

export interface ResolveFlags {
  readonly step: string;
  readonly outcome: string;
  readonly note: string;
}

const OUTCOMES = ["DONE", "NOT_DONE", "UNDONE"];

/** `mission resolve`: says how a step stands that a mission needs attention for. */
export async function resolveMission(
  { api, format, terminal }: Session,
  id: string,
  { step, outcome, note }: ResolveFlags,
): Promise<ExitCode> {
  const word = outcome.toUpperCase().replaceAll("-", "_");
  if (!OUTCOMES.includes(word)) throw usage(`--outcome ${outcome} has to be done, not-done or undone`);
  const body = JSON.stringify({ step, outcome: word, note });
  const { text } = await api.send("POST", `/v1/missions/${encodeURIComponent(id)}:resolve`, { body });
  const mission = objectOf(text);
  if (format === "table") terminal.data(`${textOf(mission.id)}\t${textOf(mission.status)}`);
  else await printList({ text, rows: [mission], columns: MISSION_COLUMNS, name: "id" }, format, terminal);
  return EXIT.done;
}
