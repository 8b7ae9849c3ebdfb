import type { TaskHandler } from "./task.ts";

/** `orrery.echo`: its output is its input. */
export const echoTask: TaskHandler = (input) => Promise.resolve(input);
