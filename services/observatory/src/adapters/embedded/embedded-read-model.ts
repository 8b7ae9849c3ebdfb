import type { ApplyOutcome, ReadModel, StoreState } from "../../application/ports.ts";
import { ThreadClient } from "./thread-client.ts";

/**
 * The read model in one SQLite file, for a laptop and for tests. Two threads of this process work on it: one
 * checks and writes, the other reads, so that a long search never holds up the projection.
 *
 * @param folder - made if it is not there; several processes may share it, and one of them writes
 */
export function openEmbeddedReadModel({ folder }: { readonly folder: string }): ReadModel {
  const writer = new ThreadClient({ folder });
  const reader = new ThreadClient({ folder });
  return {
    name: "embedded",
    async check() {
      const [state] = await Promise.all([
        writer.ask<StoreState>({ ask: "check", write: true }),
        reader.ask<StoreState>({ ask: "check", write: false }),
      ]);
      return state;
    },
    async apply(batch) {
      await writer.ask<void>({ ask: "apply", batch });
      return batch.map((): ApplyOutcome => "done");
    },
    // A commit is visible to every reader that begins after it.
    settle: () => Promise.resolve(),
    searchJobs: (search) => reader.ask({ ask: "searchJobs", search }),
    countJobs: (search, atMost) => reader.ask({ ask: "countJobs", search, atMost }),
    job: (project, id) => reader.ask({ ask: "job", project, id }),
    history: (project, id, page) => reader.ask({ ask: "history", project, id, page }),
    searchEvents: (search) => reader.ask({ ask: "searchEvents", search }),
    summary: (project) => reader.ask({ ask: "summary", project }),
    reset: () => writer.ask({ ask: "reset" }),
    async close() {
      await Promise.all([writer.close(), reader.close()]);
    },
  };
}
