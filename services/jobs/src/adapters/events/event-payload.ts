// What the outbox keeps of a transition: only what the transition could change. The rest of the state is in
// the job's row for good, and is put around it when the event is read. A whole envelope of 1.1 kB, written in
// each transition, was two fifths of what a job cost PostgreSQL and a third of what it cost this service.
import type { EventTerms, KeptEvent } from "../../application/ports.ts";
import type { JobError, Moved, ToldAttempt } from "../../domain/job.ts";
import { STATUS_AFTER } from "../../domain/job-state.ts";
import type { Producer, Told } from "./event-json.ts";

/** The part of a stored event that its job's row does not have any more. */
interface Payload {
  readonly producer: Producer;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly runMs: number;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly expireMs?: number;
  readonly cancelRequestMs?: number;
  readonly error?: JobError;
  readonly ran?: Pick<ToldAttempt, "attempt" | "status" | "worker" | "startMs"> & {
    readonly endMs?: number;
    readonly error?: JobError;
  };
}

/** The JSON that is stored of a transition. `producer` is the JSON of who made it. */
export function payloadJson({ job, attempt }: Pick<Moved, "job" | "attempt">, producer: string): string {
  return (
    `{"producer":${producer},"attempt":${job.attempt},"maxAttempts":${job.maxAttempts},"runMs":${job.runMs}` +
    numberField("startMs", job.startMs) +
    numberField("endMs", job.endMs) +
    numberField("expireMs", job.expireMs) +
    numberField("cancelRequestMs", job.cancelRequestMs) +
    errorField(job.error) +
    (attempt === undefined ? "" : `,"ran":${ranJson(attempt)}`) +
    "}"
  );
}

function ranJson(attempt: ToldAttempt): string {
  const worker = JSON.stringify(attempt.worker);
  return (
    `{"attempt":${attempt.attempt},"status":"${attempt.status}","worker":${worker},"startMs":${attempt.startMs}` +
    `${numberField("endMs", attempt.endMs)}${errorField(attempt.error)}}`
  );
}

const numberField = (name: string, value: number | undefined): string =>
  value === undefined ? "" : `,"${name}":${value}`;

const errorField = (error: JobError | undefined): string =>
  error === undefined ? "" : `,"error":${JSON.stringify(error)}`;

/** Puts a stored event and the terms of its job together again. */
export function toldFrom(kept: Omit<KeptEvent, "jobId">, { terms, inputText, outputText }: EventTerms): Told {
  const { id: eventId, fact, version, occurredMs } = kept;
  const { producer, ran, ...state } = JSON.parse(kept.payload) as Payload;
  return {
    eventId,
    producer,
    fact,
    occurredMs,
    inputText,
    outputText,
    attempt: ran && { ...ran, endMs: ran.endMs, error: ran.error },
    job: {
      ...terms,
      status: STATUS_AFTER[fact],
      version,
      attempt: state.attempt,
      maxAttempts: state.maxAttempts,
      runMs: state.runMs,
      startMs: state.startMs,
      endMs: state.endMs,
      expireMs: state.expireMs,
      cancelRequestMs: state.cancelRequestMs,
      error: state.error,
    },
  };
}
