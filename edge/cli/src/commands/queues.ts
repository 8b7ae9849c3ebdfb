import type { Api } from "../api.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { durationText, wholeNumber } from "../input.ts";
import { QUEUE_COLUMNS } from "../output/columns.ts";
import { printOne } from "../output/printer.ts";
import { objectOf, rowsOf, type Session } from "../session.ts";
import { listAndWatch } from "./watch-list.ts";

const COUNT_LIMIT = 1_000_000;
/** How long a change waits for the read side, which only tells whether the queue is new. */
const HINT_LIMIT_MS = 1_000;

/** `queue ls`: the project's queues, from the read side. */
export const listQueues = (session: Session, flags: { watch?: boolean }): Promise<ExitCode> =>
  listAndWatch(
    session,
    { path: "/v1/observatory/queues", field: "queues", columns: QUEUE_COLUMNS, name: "name" },
    flags,
  );

/** `queue pause`, `queue resume`: holds a queue's jobs back, or lets them go. */
export async function switchQueue(
  session: Session,
  queue: string,
  verb: "pause" | "resume",
): Promise<ExitCode> {
  return change(session, queue, { method: "POST", verb: `:${verb}`, body: {} });
}

export interface QueueLimits {
  readonly concurrency?: string;
  readonly concurrencyPerKey?: string;
  readonly rate?: string;
}

/** `queue set`: sets the limits that are given and leaves the others; 0 takes a limit away. */
export async function setQueue(session: Session, queue: string, limits: QueueLimits): Promise<ExitCode> {
  const { concurrency, concurrencyPerKey, rate } = limits;
  const count = (text: string, flag: string) => wholeNumber(text, flag, { min: 0, max: COUNT_LIMIT });
  const body = {
    ...(concurrency === undefined ? {} : { concurrency: count(concurrency, "--concurrency") }),
    ...(concurrencyPerKey === undefined
      ? {}
      : { concurrencyPerKey: count(concurrencyPerKey, "--concurrency-per-key") }),
    ...(rate === undefined ? {} : { rate: rateOf(rate) }),
  };
  const updateMask = Object.keys(body).join(",");
  if (updateMask === "") throw usage("nothing to set", "give --concurrency, --concurrency-per-key or --rate");
  return change(session, queue, { method: "PATCH", verb: "", body, updateMask });
}

/** `100/1s`, or 0 for no limit. */
function rateOf(rate: string): { limit: number; period?: string } {
  const [limit = "", period] = rate.split("/");
  const count = wholeNumber(limit, "--rate", { min: 0, max: COUNT_LIMIT });
  return period === undefined ? { limit: count } : { limit: count, period: durationText(period, "--rate") };
}

interface Change {
  readonly method: string;
  /** As the path ends in: `:pause`, or nothing. */
  readonly verb: string;
  readonly body: object;
  readonly updateMask?: string;
}

/** A queue can be held or limited before anything is submitted to it; a misspelt one looks the same, so it is told. */
async function change(
  { api, format, terminal }: Session,
  queue: string,
  { method, verb, body, updateMask }: Change,
): Promise<ExitCode> {
  const path = `/v1/queues/${encodeURIComponent(queue)}`;
  const isNew = await isUnknown(api, queue);
  const sending = { body: JSON.stringify(body), query: { updateMask } };
  const { text } = await api.send(method, `${path}${verb}`, sending);
  await printOne({ text, rows: [objectOf(text)], columns: QUEUE_COLUMNS, name: "name" }, format, terminal);
  if (isNew)
    terminal.talk(`queue ${queue} is new: nothing was submitted to it yet; orrery queue ls lists all`);
  return EXIT.done;
}

/** Whether the read side says at once that it lists no such queue. What else is wrong, the change itself is told. */
async function isUnknown(api: Api, queue: string): Promise<boolean> {
  const signal = AbortSignal.timeout(HINT_LIMIT_MS);
  const listed = await api.send("GET", "/v1/observatory/queues", { signal }).catch(() => undefined);
  return listed !== undefined && !rowsOf(objectOf(listed.text), "queues").some(({ name }) => name === queue);
}
