import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Clock } from "@orrery/mesh/time/clock";
import type { Sighting, Workers } from "./ports.ts";

/** A worker is written down at most this often, unless what it says of itself has changed. */
const EVERY_MS = 5_000;
/** Names that are remembered, and that may wait to be written. */
const MAX_KNOWN = 50_000;
const MAX_BATCH = 500;

/** Notes who asks for work, off the path of those who ask. */
export interface Sightings {
  note(sighting: Sighting): void;
}

/** Sightings that are written in batches, one after the other; one that fails is written at its worker's next word. */
export function createSightings(deps: { workers: Workers; clock: Clock; logger: Logger }): Sightings {
  const known = new Map<string, { atMs: number; said: string }>();
  const pending = new Map<string, Sighting>();
  let writing = false;

  const write = async (): Promise<void> => {
    writing = true;
    while (pending.size > 0) {
      const batch = [...pending].slice(0, MAX_BATCH);
      for (const [name] of batch) pending.delete(name);
      try {
        await deps.workers.seen(batch.map(([, sighting]) => sighting));
      } catch (failure) {
        for (const [name] of batch) known.delete(name);
        deps.logger.debug("workers could not be noted", { reason: String(failure) });
      }
    }
    writing = false;
  };

  return {
    note: (sighting) => {
      const name = `${sighting.project ?? ""} ${sighting.name}`;
      const said = JSON.stringify([
        sighting.tasks ?? null,
        sighting.queues ?? null,
        sighting.slots ?? null,
        sighting.draining,
      ]);
      const last = known.get(name);
      const nowMs = deps.clock.monotonicMs();
      // A heartbeat says nothing of tasks: it counts as the same unless it began or ended draining.
      const same =
        last !== undefined && (sighting.tasks === undefined ? !sighting.draining : last.said === said);
      if (same && nowMs - last.atMs < EVERY_MS) return;
      // Who is not noted now is at a next word.
      if (pending.size >= MAX_KNOWN) return;
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(name, { atMs: nowMs, said: sighting.tasks === undefined ? (last?.said ?? said) : said });
      const waiting = pending.get(name);
      pending.set(
        name,
        sighting.tasks === undefined && waiting !== undefined
          ? { ...waiting, draining: sighting.draining }
          : sighting,
      );
      if (!writing) void write();
    },
  };
}
