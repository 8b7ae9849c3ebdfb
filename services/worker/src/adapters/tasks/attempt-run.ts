import type { JsonValue } from "@bufbuild/protobuf";
import { fitsValue, VALUE_LEVELS } from "@orrery/mesh/transport/json-value";
import type { Attempt, AttemptEnd } from "../../domain/attempt.ts";
import { TaskFailure, type TaskHandler } from "./task.ts";

const OUTPUT_LIMIT_BYTES = 192 * 1024;

/** The tasks that a worker hosts, by name. */
export type TaskHandlers = Readonly<Record<string, TaskHandler>>;

/** Runs one attempt to its end. Never rejects: whatever a handler does is an end. */
export async function runAttempt(
  handlers: TaskHandlers,
  attempt: Attempt,
  signal: AbortSignal,
): Promise<AttemptEnd> {
  try {
    const handler = Object.hasOwn(handlers, attempt.task) ? handlers[attempt.task] : undefined;
    if (handler === undefined) {
      throw new TaskFailure("UNKNOWN_TASK", `this worker does not host ${attempt.task}`, { retryable: true });
    }
    const input = attempt.inputJson === undefined ? undefined : (JSON.parse(attempt.inputJson) as JsonValue);
    const output = await handler(input, { ...attempt, signal });
    return { kind: "succeeded", outputJson: output === undefined ? undefined : outputJson(output) };
  } catch (error) {
    return endFrom(error);
  }
}

function outputJson(output: JsonValue): string {
  const text = JSON.stringify(output);
  // A character is at most three bytes, so that most outputs need no counting.
  if (text.length * 3 > OUTPUT_LIMIT_BYTES && Buffer.byteLength(text) > OUTPUT_LIMIT_BYTES) {
    const message = `the output is over ${OUTPUT_LIMIT_BYTES} bytes of JSON`;
    throw new TaskFailure("OUTPUT_TOO_LARGE", message, { retryable: false });
  }
  if (!fitsValue(output)) {
    const message = `the output is deeper than ${VALUE_LEVELS} levels`;
    throw new TaskFailure("OUTPUT_TOO_DEEP", message, { retryable: false });
  }
  return text;
}

function endFrom(error: unknown): AttemptEnd {
  if (error instanceof TaskFailure) {
    const { type, message, retryable, retryAfterMs } = error;
    const failed = { kind: "failed", error: { type, message, retryable } } as const;
    return retryAfterMs === undefined ? failed : { ...failed, retryAfterMs };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { kind: "failed", error: { type: "HANDLER_ERROR", message, retryable: true } };
}
