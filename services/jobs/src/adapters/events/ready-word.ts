/** Beyond this many tasks the word would be longer than it is worth: everybody looks. */
const MAX_TASKS = 100;

/** What replicas tell each other: a JSON list of tasks of which jobs became ready, or nothing for all tasks. */
export const wordOf = (tasks: ReadonlySet<string> | "all"): string =>
  tasks === "all" || tasks.size > MAX_TASKS ? "" : JSON.stringify([...tasks]);

/** Reads the word of another replica. What cannot be read means all tasks: to look once too often costs little. */
export function tasksOf(word: string): ReadonlySet<string> | "all" {
  try {
    const tasks: unknown = JSON.parse(word);
    return Array.isArray(tasks) ? new Set(tasks.map(String)) : "all";
  } catch {
    return "all";
  }
}
