import type { Json } from "../api.ts";
import { follow } from "../event-stream.ts";
import { EXIT, type ExitCode, exitCodeOfEnd, hasEnded } from "../exit-code.ts";
import { durationMs } from "../input.ts";
import { JOB_COLUMNS, textOf, whyOf } from "../output/columns.ts";
import { printList } from "../output/printer.ts";
import { statusText } from "../output/status-text.ts";
import type { Row } from "../output/table.ts";
import { interruption, objectOf, type Session } from "../session.ts";
import { printable } from "../terminal.ts";
import { type SubmitFlags, submit } from "./submit-job.ts";

/** How long a second Ctrl-C has to come after the first to mean: cancel it. */
const SECOND_INTERRUPT_MS = 2_000;

export interface FollowFlags {
  /** How long to wait for the end. */
  readonly wait?: string;
}

/**
 * `job run`: submits, tells of each step on standard error, and prints the output. Its exit code is the
 * job's.
 */
export async function runJob(
  session: Session,
  task: string,
  flags: SubmitFlags & FollowFlags,
): Promise<ExitCode> {
  const { job } = await submit(session, task, flags);
  const id = textOf(job.id);
  session.terminal.talk(session.terminal.paintTalk("gray", `job ${id}`));
  const end = await followToEnd(session, id, flags);
  if (typeof end === "number") return end;
  // An event carries an output of up to 32 KiB; a larger one is in the store only.
  const whole =
    end.output === undefined ? await current(session, id) : { text: JSON.stringify(end), job: end };
  if (session.format === "table") printOutput(session, whole.job.output);
  else
    await printList(
      { ...whole, rows: [whole.job], columns: JOB_COLUMNS, name: "id" },
      session.format,
      session.terminal,
    );
  return exitCodeOfEnd(textOf(end.status));
}

/** `job watch`: tells of each step of a job until its end, as data. Its exit code is the job's. */
export async function watchJob(session: Session, id: string, flags: FollowFlags): Promise<ExitCode> {
  const end = await followToEnd(session, id, flags, (frame) => session.terminal.data(frame));
  return typeof end === "number" ? end : exitCodeOfEnd(textOf(end.status));
}

/** The job at its end, or the exit code of whatever came before it. */
async function followToEnd(
  session: Session,
  id: string,
  { wait }: FollowFlags,
  data?: (line: string) => void,
): Promise<Row | ExitCode> {
  using interrupted = interruption(session.surroundings);
  const limit = wait === undefined ? undefined : AbortSignal.timeout(durationMs(wait, "--wait"));
  const signal = limit === undefined ? interrupted.signal : AbortSignal.any([limit, interrupted.signal]);
  const onLost = () => session.terminal.talk("the connection was lost; looking for it again");
  for await (const frame of follow(session.api, `/v1/jobs/${encodeURIComponent(id)}:watch`, {
    signal,
    onLost,
  })) {
    const step = stepOf(frame.event, frame.data);
    if (step === undefined) continue;
    const asJson = session.format === "json" || session.format === "ndjson";
    if (data === undefined) session.terminal.talk(lineOf(step, session.terminal.paintTalk));
    else data(asJson ? frame.data : lineOf(step, session.terminal.paint));
    if (hasEnded(textOf(step.job.status))) return tellFailure(session, step.job);
  }
  if (interrupted.signal.aborted) return detach(session, id);
  if (limit?.aborted) {
    session.terminal.talk(`still pending after ${wait}; go on with: orrery job watch ${id}`);
    return EXIT.stillPending;
  }
  return (await current(session, id)).job;
}

interface Step {
  readonly event: string;
  readonly job: Row;
  readonly attempt: Row | undefined;
  readonly time: string;
}

function stepOf(event: string, data: string): Step | undefined {
  if (event === "reset" || data === "") return undefined;
  const parsed = JSON.parse(data) as Row;
  if (event === "snapshot") return { event, job: parsed, attempt: undefined, time: sinceOf(parsed) };
  const { job, attempt } = parsed.payload as { job?: Row; attempt?: Row };
  return job === undefined ? undefined : { event, job, attempt, time: textOf(parsed.occurredAt) };
}

/** Since when a job is as it is. The fields of an earlier attempt remain, so the status says which counts. */
function sinceOf(job: Row): string {
  const status = textOf(job.status);
  if (hasEnded(status)) return textOf(job.endTime);
  return status === "RUNNING" ? textOf(job.startTime) : "";
}

function lineOf({ event, job, attempt, time }: Step, paint: Parameters<typeof statusText>[1]): string {
  const clock = time.slice(11, 19).padEnd(8);
  const worker =
    attempt === undefined ? "" : ` attempt ${textOf(attempt.attempt)} on ${textOf(attempt.worker)}`;
  const parts = [event === "snapshot" ? "" : event, worker.trim(), whyOf(job)].filter(Boolean).map(printable);
  return `${clock}  ${statusText(textOf(job.status), paint)}  ${parts.join(" · ")}`.trimEnd();
}

const messageOf = (value: Json | undefined): string =>
  typeof value === "object" && value !== null ? textOf((value as Row).message) : "";

/** A failed job is said once more where a machine reads along: as an annotation of the build. */
function tellFailure({ terminal, surroundings }: Session, job: Row): Row {
  if (job.status !== "SUCCEEDED" && surroundings.env.GITHUB_ACTIONS) {
    const what = `job ${textOf(job.id)} ended ${textOf(job.status)}`;
    terminal.talk(`::error::${printable(`${what} ${messageOf(job.error)}`.trim())}`);
  }
  return job;
}

async function detach(session: Session, id: string): Promise<ExitCode> {
  const { terminal, api } = session;
  terminal.talk(`\ndetached; the job goes on. Come back: orrery job watch ${id}. Ctrl-C again cancels it.`);
  using again = interruption(session.surroundings);
  await untilAborted(AbortSignal.any([again.signal, AbortSignal.timeout(SECOND_INTERRUPT_MS)]));
  if (again.signal.aborted) {
    const { text } = await api.send("POST", `/v1/jobs/${encodeURIComponent(id)}:cancel`, {
      body: JSON.stringify({ reason: "interrupted at the command line" }),
    });
    terminal.talk(`cancellation asked for: ${textOf(objectOf(text).status)}`);
  }
  return EXIT.interrupted;
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((over) => {
    if (signal.aborted) over();
    // A timer of an AbortSignal does not keep the process alive.
    const alive = setInterval(() => undefined, SECOND_INTERRUPT_MS);
    signal.addEventListener("abort", () => {
      clearInterval(alive);
      over();
    });
  });

async function current({ api }: Session, id: string): Promise<{ text: string; job: Row }> {
  const { text } = await api.send("GET", `/v1/jobs/${encodeURIComponent(id)}`);
  return { text, job: objectOf(text) };
}

function printOutput({ terminal }: Session, output: Json | undefined): void {
  if (output !== undefined)
    terminal.data(JSON.stringify(output, undefined, terminal.interactive ? 2 : undefined));
}
