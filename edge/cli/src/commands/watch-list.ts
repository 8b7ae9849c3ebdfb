import { follow } from "../event-stream.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { METRIC_COLUMNS, WORKER_COLUMNS } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import type { Column } from "../output/table.ts";
import { interruption, objectOf, rowsOf, type Session } from "../session.ts";

/** A list is printed anew at most so often, however much happens. */
const AGAIN_MS = 1_000;

/** A list that is one answer of the edge. */
export interface WatchedList {
  readonly path: string;
  /** The field that holds the rows. */
  readonly field: string;
  readonly columns: readonly Column[];
  /** The field that names a row. */
  readonly name: string;
}

/** `worker ls`: the workers seen within the last minute. */
export const listWorkers = (session: Session, flags: { watch?: boolean }): Promise<ExitCode> =>
  listAndWatch(
    session,
    { path: "/v1/observatory/workers", field: "workers", columns: WORKER_COLUMNS, name: "worker" },
    flags,
  );

/** `metrics`: the project's figures, always the same ones. */
export const listMetrics = (session: Session, flags: { watch?: boolean }): Promise<ExitCode> =>
  listAndWatch(
    session,
    { path: "/v1/metrics", field: "figures", columns: METRIC_COLUMNS, name: "name" },
    flags,
  );

/** Prints a list; with `watch` again whenever the stream of events says that something has happened. */
export async function listAndWatch(
  session: Session,
  list: WatchedList,
  { watch = false }: { watch?: boolean },
): Promise<ExitCode> {
  await print(session, list);
  if (!watch) return EXIT.done;
  using interrupted = interruption(session.surroundings);
  let printedAtMs = performance.now();
  let due: NodeJS.Timeout | undefined;
  for await (const _frame of follow(session.api, "/v1/events:watch", { signal: interrupted.signal })) {
    due ??= setTimeout(
      () => {
        due = undefined;
        printedAtMs = performance.now();
        print(session, list).catch((error: Error) => session.terminal.talk(error.message));
      },
      Math.max(0, printedAtMs + AGAIN_MS - performance.now()),
    );
  }
  clearTimeout(due);
  return EXIT.interrupted;
}

async function print(
  { api, format, terminal }: Session,
  { path, field, columns, name }: WatchedList,
): Promise<void> {
  const { text } = await api.send("GET", path);
  await printList({ text, rows: rowsOf(objectOf(text), field), columns, name }, format, terminal);
}
