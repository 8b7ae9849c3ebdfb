import { EXIT, type ExitCode } from "../exit-code.ts";
import { ATTEMPT_COLUMNS, EVENT_COLUMNS, JOB_COLUMNS, textOf } from "../output/columns.ts";
import { printList, printOne } from "../output/printer.ts";
import type { Column, Row } from "../output/table.ts";
import { objectOf, rowsOf, type Session } from "../session.ts";
import { type ListFlags, listPaged } from "./paged-list.ts";
import { type Aggregate, readSoon } from "./read-soon.ts";

const EVENTS_PAGE = 1_000;

/** `job ls`: searches the project's jobs. */
export const listJobs = (session: Session, flags: ListFlags): Promise<ExitCode> =>
  listPaged(session, { path: "/v1/jobs", field: "jobs", noun: "job", columns: JOB_COLUMNS }, flags);

/** `job get`: one job from the read model, or with `--current` from the store. */
export async function showJob(session: Session, id: string, flags: { current?: boolean }): Promise<ExitCode> {
  const path = flags.current ? `/v1/jobs/${encodeURIComponent(id)}` : readPath(id);
  const { text } = flags.current
    ? await session.api.send("GET", path)
    : await readSoon(session.api, { path: readPath(id), id }, path);
  const listing = { text, rows: [objectOf(text)], columns: JOB_COLUMNS, name: "id" };
  await printOne(listing, session.format, session.terminal);
  return EXIT.done;
}

/** `job attempts`: each grant of a job and how it ended. */
export async function listAttempts(session: Session, id: string): Promise<ExitCode> {
  const { text } = await readSoon(session.api, { path: readPath(id), id }, `${readPath(id)}/attempts`);
  return printBelow(session, {
    text,
    rows: rowsOf(objectOf(text), "attempts"),
    columns: ATTEMPT_COLUMNS,
    name: "attempt",
  });
}

/** `job events`: a job's history, by version. */
export const listEvents = (session: Session, id: string): Promise<ExitCode> =>
  listHistory(session, { path: readPath(id), id });

/** The history of an aggregate, by version, page by page. */
export async function listHistory(session: Session, of: Aggregate): Promise<ExitCode> {
  const path = `${of.path}/history`;
  const first = await readSoon(session.api, of, path, { pageSize: EVENTS_PAGE });
  const rows = [...rowsOf(objectOf(first.text), "events")];
  let answer = objectOf(first.text);
  while (textOf(answer.nextPageToken) !== "") {
    const query = { pageSize: EVENTS_PAGE, pageToken: textOf(answer.nextPageToken) };
    answer = objectOf((await session.api.send("GET", path, { query })).text);
    rows.push(...rowsOf(answer, "events"));
  }
  const single = rowsOf(objectOf(first.text), "events").length === rows.length;
  const text = single ? first.text : JSON.stringify({ ...answer, events: rows });
  return printBelow(session, { text, rows, columns: EVENT_COLUMNS, name: "eventId" });
}

async function printBelow(
  { format, terminal }: Session,
  listing: { text: string; rows: readonly Row[]; columns: readonly Column[]; name: string },
): Promise<ExitCode> {
  await printList(listing, format, terminal);
  return EXIT.done;
}

const readPath = (id: string): string => `/v1/observatory/jobs/${encodeURIComponent(id)}`;
