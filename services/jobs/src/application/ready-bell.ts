import type { Moved } from "../domain/job.ts";

/**
 * Rings for whoever waits for work, when there may be some. A hint: whoever hears it looks, and a poll stands
 * behind it.
 */
export interface ReadyBell {
  /** Listens for tasks; dispose it when done. A ring between two waits is not lost. */
  listen(tasks: readonly string[]): BellListener;
  /**
   * Rings for the tasks of jobs that can be leased now, and for all where a place in a limited queue was
   * left.
   */
  ring(tasks: ReadonlySet<string> | "all"): void;
}

/** One that listens for its tasks. */
interface BellListener extends Disposable {
  /** Resolves at the next ring, after so many milliseconds, or when the signal is aborted. */
  next(withinMs: number, signal: AbortSignal): Promise<void>;
}

interface Ear {
  readonly tasks: ReadonlySet<string>;
  rung: boolean;
  wake: (() => void) | undefined;
}

export function createReadyBell(): ReadyBell {
  const ears = new Set<Ear>();
  return {
    listen: (tasks) => {
      const ear: Ear = { tasks: new Set(tasks), rung: false, wake: undefined };
      ears.add(ear);
      return {
        next: (withinMs, signal) => hear(ear, withinMs, signal),
        [Symbol.dispose]: () => {
          ears.delete(ear);
        },
      };
    },
    ring: (tasks) => {
      for (const ear of ears) {
        if (tasks !== "all" && ![...tasks].some((task) => ear.tasks.has(task))) continue;
        ear.rung = true;
        ear.wake?.();
      }
    },
  };
}

async function hear(ear: Ear, withinMs: number, signal: AbortSignal): Promise<void> {
  if (!ear.rung && !signal.aborted) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, withinMs);
    const onAbort = (): void => resolve();
    signal.addEventListener("abort", onAbort, { once: true });
    ear.wake = resolve;
    await promise;
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    ear.wake = undefined;
  }
  ear.rung = false;
}

/**
 * For whom to ring after these transitions; nobody where none of them made a job ready or ended an attempt.
 */
export function ringFor(
  changes: readonly Moved[],
  limitedQueues: boolean,
): ReadonlySet<string> | "all" | undefined {
  const tasks = new Set<string>();
  for (const { job, from } of changes) {
    if (job.status === "QUEUED") tasks.add(job.task);
    else if (limitedQueues && from === "RUNNING" && job.status !== "RUNNING") return "all";
  }
  return tasks.size === 0 ? undefined : tasks;
}
