import type { TaskHandlers } from "./attempt-run.ts";
import { echoTask } from "./echo-task.ts";
import { failTask } from "./fail-task.ts";
import { httpPermission } from "./http-permission.ts";
import { httpTask } from "./http-task.ts";
import { sleepTask } from "./sleep-task.ts";

/** What the built-in tasks need to be told. */
export interface TaskSettings {
  /** `ORRERY_HTTP_ALLOW`. */
  readonly httpAllow: readonly string[];
}

/** The built-in tasks, by name. */
export const builtInTasks = ({ httpAllow }: TaskSettings): TaskHandlers => ({
  "orrery.echo": echoTask,
  "orrery.sleep": sleepTask,
  "orrery.fail": failTask,
  "orrery.http": httpTask(httpPermission(httpAllow)),
});

/** Their names, for the registration. */
export const BUILT_IN_TASK_NAMES = ["orrery.echo", "orrery.sleep", "orrery.fail", "orrery.http"] as const;
