import { Fault } from "../fault/fault.ts";
import type { Logger } from "../telemetry/logger.ts";
import { wait } from "../time/wait.ts";
import type { Call } from "../transport/call.ts";
import type { EventPosition, PublishedEvent } from "./stored-events.ts";

const POLL_MS = 200;
const EVENTS_AT_ONCE = 200;
const MAX_WATCHES = 10_000;

/** One frame of a watch: the state now, an event, or word that what came before is gone. */
export type WatchFrame<V> =
  | { readonly kind: "snapshot"; readonly view: V }
  | { readonly kind: "event"; readonly event: PublishedEvent }
  | { readonly kind: "reset"; readonly version: number };

/** How far an aggregate is: its version, and whether it is its end. */
export interface Progress {
  readonly version: number;
  readonly ended: boolean;
}

/** What watches stand on. */
export interface WatchOptions<V> {
  /** As `eventsAfter`. */
  after(positions: readonly EventPosition[], limit: number): Promise<readonly PublishedEvent[]>;
  /** How far aggregates are now; unknown ids are absent. */
  progress(ids: readonly string[]): Promise<ReadonlyMap<string, Progress>>;
  /** Reads an aggregate of a project. @throws Fault `NOT_FOUND` */
  read(project: string, id: string): Promise<V>;
  /** How far a view of it is. */
  progressOf(view: V): Progress;
  readonly logger: Logger;
  /** Aborted when the service stops: ends every watch. */
  readonly signal: AbortSignal;
}

/** Follows aggregates for whoever watches them. */
export interface Watches<V> {
  /**
   * An aggregate's events as they happen, none left out, after a snapshot of it; ends after the terminal event. Where
   * events are gone it says so by `reset`, and begins anew with a snapshot.
   *
   * @param asked - `lastVersion`: the last version that the watcher saw; then no snapshot, unless its successors are
   * gone or it never was
   * @param call - accepted as soon as the watch is known not to be at its end already, whenever its first frame comes
   * @throws Fault `NOT_FOUND` · `OVERLOADED` (10,000 watches in one process) · `DEPENDENCY_UNAVAILABLE` when this
   * replica stops
   */
  watch(
    asked: { project: string; id: string; lastVersion: number | undefined },
    call: Pick<Call, "accept" | "signal">,
  ): AsyncGenerator<WatchFrame<V>, void>;
  /** Looks at once at aggregates that have just moved on. */
  nudge(moved: readonly { readonly id: string; readonly version: number }[]): void;
}

interface Watch {
  readonly id: string;
  /** Aborted when its watcher leaves, or the service stops. */
  readonly over: AbortSignal;
  /** The last version that is known to have happened. */
  version: number;
  wake: (() => void) | undefined;
}

/** Watches of one process: all of them share one poll, and what is committed here is seen at once. */
export function createWatches<V>(options: WatchOptions<V>): Watches<V> {
  const groups = new Map<string, Set<Watch>>();
  let watching = 0;
  let polling = false;

  const poll = async (): Promise<void> => {
    polling = true;
    while (groups.size > 0 && !options.signal.aborted) {
      try {
        for (const [id, { version }] of await options.progress([...groups.keys()]))
          tell(groups.get(id), version);
      } catch (failure) {
        options.logger.warn("what is watched could not be looked at", { reason: String(failure) });
      }
      await wait(POLL_MS, options.signal);
    }
    polling = false;
  };
  const add = (watch: Watch): Disposable => {
    const group = groups.get(watch.id) ?? new Set();
    groups.set(watch.id, group.add(watch));
    watching += 1;
    if (!polling) void poll();
    return {
      [Symbol.dispose]: () => {
        group.delete(watch);
        watching -= 1;
        if (group.size === 0 && groups.get(watch.id) === group) groups.delete(watch.id);
      },
    };
  };

  return {
    watch: async function* ({ project, id, lastVersion }, call) {
      if (watching >= MAX_WATCHES) {
        const detail = `${MAX_WATCHES} watches are open here already`;
        throw new Fault("OVERLOADED", { detail, retryAfterMs: 1_000 });
      }
      const over = AbortSignal.any([call.signal, options.signal]);
      const watch: Watch = { id, over, version: 0, wake: undefined };
      using _added = add(watch);
      yield* follow(options, watch, { project, lastVersion }, call);
      // A watch ends in peace only after the terminal event: whoever is cut off here has to go on elsewhere.
      if (options.signal.aborted && !call.signal.aborted) {
        const detail = "this replica stops: watch again";
        throw new Fault("DEPENDENCY_UNAVAILABLE", { detail, retryAfterMs: 0 });
      }
    },
    nudge: (moved) => {
      if (groups.size === 0) return;
      for (const { id, version } of moved) tell(groups.get(id), version);
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

async function* follow<V>(
  options: WatchOptions<V>,
  watch: Watch,
  { project, lastVersion }: { project: string; lastVersion: number | undefined },
  call: Pick<Call, "accept">,
): AsyncGenerator<WatchFrame<V>, void> {
  let seen = lastVersion;
  do {
    // Told anew: what a database that was set back has forgotten would be asked for without end.
    watch.version = 0;
    const view = await options.read(project, watch.id);
    const now = options.progressOf(view);
    // At its end already, and so never accepted, which the edge tells by 204.
    if (seen === now.version && now.ended) return;
    const known = seen === undefined || (await isKnown(options, { id: watch.id, seen }, now.version));
    call.accept();
    if (seen !== undefined && !known) {
      yield { kind: "reset", version: seen };
      seen = undefined;
    }
    if (seen === undefined) {
      seen = now.version;
      yield { kind: "snapshot", view };
    }
    if (seen === now.version && now.ended) return;
    watch.version = Math.max(watch.version, now.version);
    seen = yield* eventsFrom(options, watch, seen);
  } while (seen !== undefined);
}

/** Whether a watch can go on after a version: it happened, and what followed is still kept. */
async function isKnown<V>(
  options: WatchOptions<V>,
  { id, seen }: { id: string; seen: number },
  version: number,
): Promise<boolean> {
  if (seen < 1 || seen > version) return false;
  if (seen === version) return true;
  const [next] = await options.after([{ aggregateId: id, version: seen }], 1);
  return next?.version === seen + 1;
}

/** @returns the version whose successor happened and is not kept; nothing where the watch is over */
async function* eventsFrom<V>(
  options: WatchOptions<V>,
  watch: Watch,
  after: number,
): AsyncGenerator<WatchFrame<V>, number | undefined> {
  let seen = after;
  while (!watch.over.aborted) {
    while (seen < watch.version) {
      const found = await options.after([{ aggregateId: watch.id, version: seen }], EVENTS_AT_ONCE);
      if (found.length === 0) return seen;
      for (const event of found) {
        if (event.version !== seen + 1) return seen;
        yield { kind: "event", event };
        seen = event.version;
      }
      const now = (await options.progress([watch.id])).get(watch.id);
      if (now === undefined || (now.ended && now.version <= seen)) return undefined;
    }
    await nextChange(watch, seen);
  }
  return undefined;
}

async function nextChange(watch: Watch, seen: number): Promise<void> {
  if (watch.version > seen || watch.over.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const onAbort = (): void => resolve();
  watch.over.addEventListener("abort", onAbort, { once: true });
  watch.wake = resolve;
  await promise;
  watch.wake = undefined;
  watch.over.removeEventListener("abort", onAbort);
}
