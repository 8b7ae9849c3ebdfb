import { EXIT, type ExitCode } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { durationText, wholeNumber } from "../input.ts";
import { QUEUE_COLUMNS } from "../output/columns.ts";
import { printOne } from "../output/printer.ts";
import { objectOf, type Session } from "../session.ts";
import { listAndWatch } from "./watch-list.ts";

const COUNT_LIMIT = 1_000_000;

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
  return change(session, "POST", `/v1/queues/${encodeURIComponent(queue)}:${verb}`, {});
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
  return change(session, "PATCH", `/v1/queues/${encodeURIComponent(queue)}`, body, updateMask);
}

/** `100/1s`, or 0 for no limit. */
function rateOf(rate: string): { limit: number; period?: string } {
  const [limit = "", period] = rate.split("/");
  const count = wholeNumber(limit, "--rate", { min: 0, max: COUNT_LIMIT });
  return period === undefined ? { limit: count } : { limit: count, period: durationText(period, "--rate") };
}

async function change(
  { api, format, terminal }: Session,
  method: string,
  path: string,
  body: object,
  updateMask?: string,
): Promise<ExitCode> {
  const { text } = await api.send(method, path, { body: JSON.stringify(body), query: { updateMask } });
  await printOne({ text, rows: [objectOf(text)], columns: QUEUE_COLUMNS, name: "name" }, format, terminal);
  return EXIT.done;
}
