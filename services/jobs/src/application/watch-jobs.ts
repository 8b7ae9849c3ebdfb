import { Fault } from "@orrery/mesh/fault/fault";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { wait } from "@orrery/mesh/time/wait";
import type { Moved } from "../domain/job.ts";
import { hasEnded } from "../domain/job-state.ts";
import type { JobEvents, JobView, StoredEvent } from "./ports.ts";

const POLL_MS = 200;
const EVENTS_AT_ONCE = 200;
const MAX_WATCHES = 10_000;

/** One frame of a watch: the state now, an event, or word that what came before is gone. */
export type WatchFrame =
  | { readonly kind: "snapshot"; readonly view: JobView }
  | { readonly kind: "event"; readonly event: StoredEvent }
  | { readonly kind: "reset"; readonly version: number };

export interface WatchDeps {
  readonly events: JobEvents;
  /** As readJob. */
  readonly read: (project: string, id: string) => Promise<JobView>;
  readonly logger: Logger;
  /** Aborted when the service stops: ends every watch. */
  readonly signal: AbortSignal;
}

/** Follows jobs for whoever watches them. */
export interface WatchJobs {
  /**
   * A job's events as they happen, none left out, after a snapshot of it; ends after the terminal event.
   *
   * @param lastVersion - the last version that the watcher saw: then no snapshot, unless its successors are
   * gone or it never was
   * @throws Fault `NOT_FOUND` · `OVERLOADED`
   */
  watch(
    job: { project: string; id: string; lastVersion: number | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<WatchFrame, void>;
  /** Looks at once at jobs that have just moved on. */
  nudge(changes: readonly Moved[]): void;
}

interface Watch {
  readonly id: string;
  /** The last version that is known to have happened. */
  version: number;
  wake: (() => void) | undefined;
}

/** Watches of one process: all of them share one poll, and what is committed here is seen at once. */
export function createWatchJobs(deps: WatchDeps): WatchJobs {
  const watches = new Map<string, Set<Watch>>();
  let watching = 0;
  let polling = false;

  const poll = async (): Promise<void> => {
    polling = true;
    while (watches.size > 0 && !deps.signal.aborted) {
      try {
        for (const [id, { version }] of await deps.events.versions([...watches.keys()]))
          tell(watches.get(id), version);
      } catch (failure) {
        deps.logger.warn("watched jobs could not be looked at", { reason: String(failure) });
      }
      await wait(POLL_MS, deps.signal);
    }
    polling = false;
  };
  const add = (watch: Watch): Disposable => {
    const group = watches.get(watch.id) ?? new Set();
    watches.set(watch.id, group.add(watch));
    watching += 1;
    if (!polling) void poll();
    return {
      [Symbol.dispose]: () => {
        group.delete(watch);
        watching -= 1;
        if (group.size === 0 && watches.get(watch.id) === group) watches.delete(watch.id);
      },
    };
  };

  return {
    watch: async function* ({ project, id, lastVersion }, signal) {
      if (watching >= MAX_WATCHES) {
        throw new Fault("OVERLOADED", {
          detail: `${MAX_WATCHES} jobs are watched here already`,
          retryAfterMs: 1_000,
        });
      }
      const ended = AbortSignal.any([signal, deps.signal]);
      const watch: Watch = { id, version: 0, wake: undefined };
      using _added = add(watch);
      yield* follow(deps, watch, { project, lastVersion }, ended);
      // A watch ends in peace only after the job's end: whoever is cut off here has to go on elsewhere.
      if (deps.signal.aborted && !signal.aborted) {
        throw new Fault("DEPENDENCY_UNAVAILABLE", {
          detail: "this replica stops: watch again",
          retryAfterMs: 0,
        });
      }
    },
    nudge: (changes) => {
      if (watches.size === 0) return;
      for (const { job } of changes) tell(watches.get(job.id), job.version);
    },
  };
}

function tell(group: ReadonlySet<Watch> | undefined, version: number): void {
  for (const watch of group ?? []) {
    if (version <= watch.version) continue;
    watch.version = version;
    watch.wake?.();
  }
}

async function* follow(
  deps: WatchDeps,
  watch: Watch,
  from: { project: string; lastVersion: number | undefined },
  signal: AbortSignal,
): AsyncGenerator<WatchFrame, void> {
  const view = await deps.read(from.project, watch.id);
  let seen = from.lastVersion;
  if (seen !== undefined && !(await isKnown(deps.events, view.job, seen))) {
    yield { kind: "reset", version: seen };
    seen = undefined;
  }
  if (seen === undefined) {
    seen = view.job.version;
    yield { kind: "snapshot", view };
  }
  if (seen === view.job.version && hasEnded(view.job.status)) return;
  watch.version = Math.max(watch.version, view.job.version);
  yield* eventsAfter(deps, watch, seen, signal);
}

/** Whether a watch can go on after a version: it happened, and what followed is still kept. */
async function isKnown(events: JobEvents, job: JobView["job"], version: number): Promise<boolean> {
  if (version < 1 || version > job.version) return false;
  if (version === job.version) return true;
  const [next] = await events.after([{ jobId: job.id, version }], 1);
  return next?.version === version + 1;
}

async function* eventsAfter(
  { events }: WatchDeps,
  watch: Watch,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<WatchFrame, void> {
  let seen = after;
  while (!signal.aborted) {
    while (seen < watch.version) {
      const found = await events.after([{ jobId: watch.id, version: seen }], EVENTS_AT_ONCE);
      if (found.length === 0) break;
      for (const event of found) {
        yield { kind: "event", event };
        seen = event.version;
      }
      if (await hasStopped(events, watch.id, seen)) return;
    }
    await nextChange(watch, seen, signal);
  }
}

/** Whether the job has ended, and nothing came after the version seen. */
async function hasStopped(events: JobEvents, id: string, seen: number): Promise<boolean> {
  const state = (await events.versions([id])).get(id);
  return state === undefined || (state.ended && state.version <= seen);
}

async function nextChange(watch: Watch, seen: number, signal: AbortSignal): Promise<void> {
  if (watch.version > seen || signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  signal.addEventListener("abort", onAbort, { once: true });
  watch.wake = resolve;
  await promise;
  watch.wake = undefined;
  signal.removeEventListener("abort", onAbort);
}
