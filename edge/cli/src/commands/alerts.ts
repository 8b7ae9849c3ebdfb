import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure, usage } from "../failure.ts";
import { durationText } from "../input.ts";
import { ALERT_COLUMNS, textOf } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import type { Row } from "../output/table.ts";
import { objectOf, rowsOf, type Session } from "../session.ts";
import { printable } from "../terminal.ts";
import { listAndWatch } from "./watch-list.ts";

const PATH = "/v1/alerts";
const MUTE_DEFAULT = "1h";

/** `alert ls`: the platform's alerts, the most severe first. */
export const listAlerts = (
  session: Session,
  { all = false, watch = false }: { all?: boolean; watch?: boolean },
): Promise<ExitCode> =>
  listAndWatch(
    session,
    {
      path: all ? `${PATH}?includeResolved=true` : PATH,
      field: "alerts",
      columns: ALERT_COLUMNS,
      name: "id",
    },
    { watch },
  );

/** `alert ack`: takes alerts on. */
export const acknowledge = (
  session: Session,
  ids: readonly string[],
  { note }: { note?: string },
): Promise<ExitCode> => changeEach(session, "acknowledge", ids, { note });

export interface MuteFlags {
  readonly for?: string;
  readonly until?: string;
  readonly note?: string;
}

/** `alert mute`: mutes alerts until a time, or for a while. */
export function mute(session: Session, ids: readonly string[], flags: MuteFlags): Promise<ExitCode> {
  if (flags.for !== undefined && flags.until !== undefined) {
    throw usage("--for and --until exclude each other");
  }
  const until =
    flags.until === undefined
      ? { duration: durationText(flags.for ?? MUTE_DEFAULT, "--for") }
      : { untilTime: flags.until };
  return changeEach(session, "mute", ids, { ...until, note: flags.note });
}

async function changeEach(
  { api, format, terminal }: Session,
  verb: string,
  ids: readonly string[],
  body: object,
): Promise<ExitCode> {
  for (const id of ids) {
    const path = `${PATH}/${encodeURIComponent(id)}:${verb}`;
    const { text } = await api.send("POST", path, { body: JSON.stringify(body) });
    const alert = objectOf(text);
    if (format === "table") terminal.data(`${textOf(alert.id)}\t${textOf(alert.status)}`);
    else await printList({ text, rows: [alert], columns: ALERT_COLUMNS, name: "id" }, format, terminal);
  }
  return EXIT.done;
}

/** `alert runbook`: the runbook of an alert, or the one of that name. */
export async function printRunbook({ api, terminal }: Session, id: string): Promise<ExitCode> {
  const { text } = await api.send("GET", PATH, { query: { includeResolved: "true", pageSize: 100 } });
  const alert = rowsOf(objectOf(text), "alerts").find((one) => one.id === id || one.name === id);
  const name = alert === undefined ? id : runbookOf(alert);
  const headers = { accept: "text/markdown" };
  const page = await api.send("GET", `/runbooks/${encodeURIComponent(name)}`, { headers });
  for (const line of page.text.trimEnd().split("\n")) terminal.data(printable(line));
  return EXIT.done;
}

function runbookOf(alert: Row): string {
  const name = textOf(alert.runbook);
  if (name !== "") return name;
  throw new Failure(`the alert ${textOf(alert.name)} names no runbook`, { exitCode: EXIT.notFound });
}
