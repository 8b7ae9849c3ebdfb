import type { Answer, Api } from "../api.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { ATTEMPT_COLUMNS, EVENT_COLUMNS, JOB_COLUMNS, textOf } from "../output/columns.ts";
import { printList, printOne } from "../output/printer.ts";
import type { Column, Row } from "../output/table.ts";
import { objectOf, rowsOf, type Session } from "../session.ts";

/** How old a job may be, by the time in its id, to be one that the read model has not seen yet. */
const FRESH_MS = 60_000;
const EVENTS_PAGE = 1_000;

/** `job get`: one job from the read model, or with `--current` from the store. */
export async function showJob(session: Session, id: string, flags: { current?: boolean }): Promise<ExitCode> {
  const path = flags.current ? `/v1/jobs/${encodeURIComponent(id)}` : readPath(id);
  const { text } = flags.current
    ? await session.api.send("GET", path)
    : await readSoon(session.api, id, path);
  const listing = { text, rows: [objectOf(text)], columns: JOB_COLUMNS, name: "id" };
  await printOne(listing, session.format, session.terminal);
  return EXIT.done;
}

/** `job attempts`: each grant of a job and how it ended. */
export async function listAttempts(session: Session, id: string): Promise<ExitCode> {
  const { text } = await readSoon(session.api, id, `${readPath(id)}/attempts`);
  return printBelow(session, {
    text,
    rows: rowsOf(objectOf(text), "attempts"),
    columns: ATTEMPT_COLUMNS,
    name: "attempt",
  });
}

/** `job events`: a job's history, by version. */
export async function listEvents(session: Session, id: string): Promise<ExitCode> {
  const path = `${readPath(id)}/history`;
  const first = await readSoon(session.api, id, path, { pageSize: EVENTS_PAGE });
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

/**
 * Reads from the read model what may have been written a moment ago. A job that is not there, and whose id
 * says that it was made within the last minute, is waited for (at most 3 seconds, by the edge); an older one
 * is answered at once.
 */
async function readSoon(
  api: Api,
  id: string,
  path: string,
  query: Record<string, number> = {},
): Promise<Answer> {
  try {
    return await api.send("GET", path, { query });
  } catch (error) {
    const missing = error instanceof Failure && error.about.exitCode === EXIT.notFound;
    if (!missing || !isFresh(id, Date.now())) throw error;
  }
  await api.send("GET", readPath(id), { query: { minVersion: 1 } });
  return api.send("GET", path, { query });
}

/** The first 48 bits of a UUIDv7 are the time of its making (RFC 9562, section 5.7). */
function isFresh(id: string, nowMs: number): boolean {
  const madeMs = Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16);
  return Math.abs(nowMs - madeMs) < FRESH_MS;
}
