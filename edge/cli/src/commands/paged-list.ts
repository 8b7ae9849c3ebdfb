import type { Answer } from "../api.ts";
import { follow } from "../event-stream.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { durationMs, wholeNumber } from "../input.ts";
import { textOf } from "../output/columns.ts";
import { printList, printOne } from "../output/printer.ts";
import type { Column, Row } from "../output/table.ts";
import { interruption, objectOf, rowsOf, type Session } from "../session.ts";

const PAGE_LIMIT = 100;
const LIST_LIMIT = 10_000;

/** A list that is searched and paged. */
export interface PagedList {
  readonly path: string;
  /** The field of the answer that holds the rows. */
  readonly field: string;
  /** The field of an event's payload that holds the changed row. */
  readonly noun: string;
  readonly columns: readonly Column[];
}

/** The flags of every searched list. */
export interface ListFlags {
  readonly query?: string;
  readonly orderBy?: string;
  readonly limit: string;
  /** The page to begin at. */
  readonly cursor?: string;
  readonly maxLag?: string;
  readonly watch?: boolean;
}

/**
 * Searches the read model, page by page up to the limit, and goes on with what happens to what was asked for.
 */
export async function listPaged(session: Session, list: PagedList, flags: ListFlags): Promise<ExitCode> {
  using interrupted = interruption(session.surroundings);
  const { signal } = interrupted;
  // The stream is opened first, so that nothing falls between the list and it.
  const frames = follow(session.api, "/v1/events:watch", { signal, query: { q: flags.query } });
  const first = flags.watch ? frames.next() : undefined;
  first?.catch(() => undefined); // told when it is awaited, after the list
  const { text, rows, answer } = await pagesOf(session, list, flags);
  checkLag(answer, flags.maxLag);
  await printList({ text, rows, columns: list.columns, name: "id" }, session.format, session.terminal);
  if (session.terminal.interactive)
    session.terminal.talk(session.terminal.paintTalk("gray", footOf(rows.length, answer)));
  if (first === undefined) return EXIT.done;
  for (let next = await first; next.done !== true; next = await frames.next()) {
    const { payload } = JSON.parse(next.value.data || "{}") as { payload?: Record<string, Row | undefined> };
    const changed = payload?.[list.noun];
    if (changed !== undefined) await printChange(session, list.columns, changed);
  }
  return EXIT.interrupted;
}

async function pagesOf(
  { api }: Session,
  { path, field }: PagedList,
  { query, orderBy, limit, cursor }: ListFlags,
): Promise<{ text: string; rows: readonly Row[]; answer: Row }> {
  const wanted = wholeNumber(limit, "--limit", { min: 1, max: LIST_LIMIT });
  const rows: Row[] = [];
  const pages: Answer[] = [];
  let pageToken = cursor;
  do {
    const pageSize = Math.min(PAGE_LIMIT, wanted - rows.length);
    const page = await api.send("GET", path, { query: { q: query, orderBy, pageSize, pageToken } });
    const answer = objectOf(page.text);
    rows.push(...rowsOf(answer, field));
    pages.push(page);
    pageToken = textOf(answer.nextPageToken) || undefined;
  } while (pageToken !== undefined && rows.length < wanted);
  const last = pages.at(-1)?.text ?? "{}";
  const answer = objectOf(last);
  // One page is printed as it came; several become one answer of the same shape.
  const text = pages.length === 1 ? last : JSON.stringify({ ...answer, [field]: rows });
  return { text, rows, answer };
}

function checkLag(answer: Row, maxLag: string | undefined): void {
  const lagMs = Number(answer.lagMs ?? 0);
  if (maxLag === undefined || lagMs <= durationMs(maxLag, "--max-lag")) return;
  throw new Failure(`the read model is ${lagMs} ms behind, more than --max-lag ${maxLag} allows`, {
    exitCode: EXIT.unreachable,
    fix: "try again, or read a job by id with --current",
  });
}

function footOf(shown: number, { totalSize, totalExact, asOf, lagMs, complete }: Row): string {
  const total = `${shown} of ${totalExact === false ? "at least " : ""}${textOf(totalSize) || shown}`;
  const partial = complete === false ? ", not complete" : "";
  return `${total}, as of ${textOf(asOf)} (${textOf(lagMs) || "0"} ms behind${partial})`;
}

/** A change of a list that is watched: one line, in the form of the list. */
async function printChange(
  { format, terminal }: Session,
  columns: readonly Column[],
  row: Row,
): Promise<void> {
  const line = (text: string) => terminal.data(text);
  const heading = format === "table" || format === "wide" || format === "csv";
  const lines: string[] = [];
  const one = { text: JSON.stringify(row), rows: [row], columns, name: "id" };
  await (heading ? printList : printOne)(one, format, { ...terminal, data: (text) => lines.push(text) });
  (heading ? lines.slice(1) : lines).forEach(line);
}
