import { badInput, fieldsOf, TaskFailure, type TaskHandler } from "./task.ts";

/**
 * `orrery.fail`: `{ "message", "retryable", "times"? }` fails, with that message, in its first `times`
 * attempts (in every one unless set), and then succeeds with `{ "attempts" }`.
 */
export const failTask: TaskHandler = async (input, { attempt }) => {
  const {
    message = "failed as asked",
    retryable = true,
    times,
  } = fieldsOf(input, ["message", "retryable", "times"]);
  if (typeof message !== "string") throw badInput("input.message has to be a string");
  if (typeof retryable !== "boolean") throw badInput("input.retryable has to be true or false");
  if (times !== undefined && !(typeof times === "number" && Number.isInteger(times) && times >= 0)) {
    throw badInput("input.times has to be a whole number, 0 or more");
  }
  if (times !== undefined && attempt > times) return { attempts: attempt };
  throw new TaskFailure("ORRERY_FAIL", message, { retryable });
};
