import { type Clock, systemClock } from "@orrery/mesh/time/clock";
import type { ApplyOutcome, ReadModel, StoreState } from "../../application/ports.ts";
import { rowsOf } from "./store-rows.ts";
import { ThreadClient } from "./thread-client.ts";

interface EmbeddedOptions {
  /** Made if it is not there; several processes may share it, and one of them writes. */
  readonly folder: string;
  readonly clock?: Clock;
}

/** What tests may do to it besides. */
interface EmbeddedReadModel extends ReadModel {
  /** Forgets everything and begins a new generation. */
  reset(): Promise<void>;
}

/**
 * The read model in one SQLite file, for a laptop and for tests.
 *
 * One thread of this process works on it. A second one for reading alone was tried and taken out again: a
 * thread costs 10 to 24 MiB at rest, and searches of a laptop's data take milliseconds.
 */
export function openEmbeddedReadModel({ folder, clock = systemClock }: EmbeddedOptions): EmbeddedReadModel {
  const thread = new ThreadClient(folder, clock);
  return {
    name: "embedded",
    check: () => thread.ask<StoreState>({ ask: "check" }),
    async apply(batch) {
      await thread.ask<void>({ ask: "apply", rows: rowsOf(batch) });
      return batch.map((): ApplyOutcome => "done");
    },
    // A commit is visible to every read that begins after it, in every process.
    settle: () => Promise.resolve(),
    search: ({ signal, ...search }) => thread.ask({ ask: "search", search }, signal),
    count: ({ signal, ...search }, atMost) => thread.ask({ ask: "count", search, atMost }, signal),
    find: (kind, project, id) => thread.ask({ ask: "find", kind, project, id }),
    history: (project, id, page) => thread.ask({ ask: "history", project, id, page }),
    countVersions: (project, id, version) => thread.ask({ ask: "countVersions", project, id, version }),
    searchEvents: ({ signal, ...search }) => thread.ask({ ask: "searchEvents", search }, signal),
    summary: (project, signal) => thread.ask({ ask: "summary", project }, signal),
    size: () => thread.ask({ ask: "size" }),
    reset: () => thread.ask({ ask: "reset" }),
    close: () => thread.close(),
  };
}
