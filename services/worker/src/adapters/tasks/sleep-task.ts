import { wait } from "@orrery/mesh/time/wait";
import { badInput, fieldsOf, stopped, type TaskHandler } from "./task.ts";

const SLEEP_LIMIT_MS = 7 * 24 * 3_600_000;

/** `orrery.sleep`: `{ "ms" }`, 0 to 7 days; ends early, and without success, when its attempt is stopped. */
export const sleepTask: TaskHandler = async (input, { signal }) => {
  const { ms } = fieldsOf(input, ["ms"]);
  if (typeof ms !== "number" || !(ms >= 0 && ms <= SLEEP_LIMIT_MS)) {
    throw badInput(`input.ms has to be a number of milliseconds from 0 to ${SLEEP_LIMIT_MS}`);
  }
  await wait(ms, signal);
  if (signal.aborted) throw stopped();
  return { ms };
};
