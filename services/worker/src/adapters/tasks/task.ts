import type { JsonValue } from "@bufbuild/protobuf";

/** What a task may know of its attempt. */
export interface TaskContext {
  /** 1 for the first. */
  readonly attempt: number;
  /** The same in every attempt: for whatever must not happen twice. */
  readonly idempotencyKey: string;
  readonly correlationId: string;
  readonly traceparent: string;
  /** Aborts when the attempt is to stop. */
  readonly signal: AbortSignal;
}

/**
 * Does the work of one attempt.
 *
 * @param input - the job's input; undefined where it has none
 * @returns the job's output; undefined for none
 * @throws TaskFailure to say how the attempt failed; anything else counts as retryable, of type HANDLER_ERROR
 */
export type TaskHandler = (
  input: JsonValue | undefined,
  context: TaskContext,
) => Promise<JsonValue | undefined>;

/** A failure that a task knows the nature of. */
export class TaskFailure extends Error {
  readonly type: string;
  readonly retryable: boolean;
  /** Milliseconds; undefined leaves the wait to the job's retry policy. */
  readonly retryAfterMs: number | undefined;

  constructor(
    type: string,
    message: string,
    about: { retryable: boolean; retryAfterMs?: number | undefined },
  ) {
    super(message);
    this.name = "TaskFailure";
    this.type = type;
    this.retryable = about.retryable;
    this.retryAfterMs = about.retryAfterMs;
  }
}

/** An input that the task cannot work with: another attempt would fail alike. */
export const badInput = (message: string): TaskFailure =>
  new TaskFailure("INVALID_INPUT", message, { retryable: false });

/** An attempt that was told to stop, and did. */
export const stopped = (): TaskFailure =>
  new TaskFailure("STOPPED", "the attempt was stopped", { retryable: true });

/** The input as an object that holds no other fields than those named. */
export function fieldsOf(
  input: JsonValue | undefined,
  names: readonly string[],
): Readonly<Record<string, JsonValue | undefined>> {
  if (input === undefined || input === null) return {};
  if (typeof input !== "object" || Array.isArray(input)) throw badInput("input has to be an object");
  const unknown = Object.keys(input).find((name) => !names.includes(name));
  if (unknown !== undefined) throw badInput(`input.${unknown} is not known; known are ${names.join(", ")}`);
  return input;
}
