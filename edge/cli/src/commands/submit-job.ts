import { EXIT, type ExitCode } from "../exit-code.ts";
import { usage } from "../failure.ts";
import { durationText, labelsOf, readInput, wholeNumber } from "../input.ts";
import { JOB_COLUMNS, textOf } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import type { Row } from "../output/table.ts";
import { madeLine, objectOf, type Session } from "../session.ts";

export interface SubmitFlags {
  readonly input?: string;
  readonly set: readonly string[];
  readonly queue?: string;
  readonly priority?: string;
  readonly maxAttempts?: string;
  readonly timeout?: string;
  readonly delay?: string;
  readonly runTime?: string;
  readonly expireTime?: string;
  readonly label: readonly string[];
  readonly tag: readonly string[];
  readonly concurrencyKey?: string;
  readonly idempotencyKey?: string;
  readonly dryRun?: boolean;
}

/** `job submit`: submits, prints the job's id and address, and ends. */
export async function submitJob(session: Session, task: string, flags: SubmitFlags): Promise<ExitCode> {
  const { terminal, format } = session;
  if (flags.dryRun) {
    terminal.data(await bodyOf(session, task, flags));
    return EXIT.done;
  }
  const { text, job } = await submit(session, task, flags);
  const id = textOf(job.id);
  if (format === "table" || format === "wide") {
    terminal.data(madeLine(session, "jobs", id));
  } else {
    await printList({ text, rows: [job], columns: JOB_COLUMNS, name: "id" }, format, terminal);
  }
  return EXIT.done;
}

/** Submits one job as the flags describe it. */
export async function submit(
  session: Session,
  task: string,
  flags: SubmitFlags,
): Promise<{ text: string; job: Row }> {
  const body = await bodyOf(session, task, flags);
  const headers = flags.idempotencyKey === undefined ? {} : { "idempotency-key": flags.idempotencyKey };
  const { text } = await session.api.send("POST", "/v1/jobs", { body, headers });
  return { text, job: objectOf(text) };
}

async function bodyOf({ surroundings }: Session, task: string, flags: SubmitFlags): Promise<string> {
  const number = (text: string | undefined, flag: string, max: number) =>
    text === undefined ? undefined : wholeNumber(text, flag, { min: 0, max });
  const duration = (text: string | undefined, flag: string) =>
    text === undefined ? undefined : durationText(text, flag);
  if (flags.delay !== undefined && flags.runTime !== undefined)
    throw usage("--delay and --run-time exclude each other");
  const labels = labelsOf([...flags.label, ...flags.tag]);
  const fields = {
    task,
    queue: flags.queue,
    priority: number(flags.priority, "--priority", 9),
    maxAttempts: number(flags.maxAttempts, "--max-attempts", 100),
    timeout: duration(flags.timeout, "--timeout"),
    delay: duration(flags.delay, "--delay"),
    runTime: flags.runTime,
    expireTime: flags.expireTime,
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    concurrencyKey: flags.concurrencyKey,
  };
  const input = await readInput(flags.input, flags.set, surroundings.stdin);
  const head = JSON.stringify(fields);
  // The input goes out as it was written: parsing it here could round a number that the edge would refuse.
  return input === undefined ? head : `${head.slice(0, -1)},"input":${input}}`;
}
