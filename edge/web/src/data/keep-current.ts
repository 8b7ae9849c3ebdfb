import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Answer, Job, Mission } from "../api/contract.ts";
import { newest, newestRows } from "../domain/newest.ts";
import { newsOf } from "../live/batch-news.ts";
import type { Batch, LiveFeed } from "../live/live-feed.ts";

/** What is counted on the server is asked for again at most this often while events come. */
const READ_AGAIN_MS = 1_000;

/**
 * Keeps what is shown at what the events say: rows and details are patched in place at once; counts, and which rows
 * there are, come from the server, which alone can say what fits a query.
 *
 * @returns what ends it
 */
export function keepCurrent(queries: QueryClient, feed: LiveFeed): () => void {
  const stale = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const readAgain = () => {
    const names = [...stale];
    stale.clear();
    timer = undefined;
    for (const name of names) void queries.invalidateQueries({ queryKey: [name] });
  };
  const stopFeed = feed.onBatch((batch) => {
    if (batch.gap) void queries.invalidateQueries();
    for (const name of patch(queries, batch)) stale.add(name);
    if (stale.size > 0) timer ??= setTimeout(readAgain, READ_AGAIN_MS);
  });
  return () => {
    stopFeed();
    clearTimeout(timer);
  };
}

type JobPages = InfiniteData<Answer<"listJobs">>;
type MissionPages = InfiniteData<Answer<"listMissions">>;

/** Patches what the events speak of, and names what else they made old. */
function patch(queries: QueryClient, { events }: Batch): readonly string[] {
  const { jobs, missions } = newsOf(events);
  const names: string[] = [];
  if (jobs.size > 0) {
    queries.setQueriesData<JobPages>({ queryKey: ["jobs"] }, (pages) =>
      patchPages(pages, (page) => patchField(page, "jobs", newestRows<Job>(page.jobs, jobs))),
    );
    queries.setQueriesData<Job>({ queryKey: ["job"] }, (job) => job && newest(job, jobs));
    for (const job of jobs.values()) names.push(...aboutJob(queries, job));
    names.push("overview", "newest jobs", "queues", "workers", "metrics");
  }
  if (missions.size > 0) {
    queries.setQueriesData<MissionPages>({ queryKey: ["missions"] }, (pages) =>
      patchPages(pages, (page) => patchField(page, "missions", newestRows<Mission>(page.missions, missions))),
    );
    queries.setQueriesData<Mission>(
      { queryKey: ["mission"] },
      (mission) => mission && newest(mission, missions),
    );
    names.push("overview", "newest missions", "mission", "mission events");
  }
  return names;
}

/** Only a job or a mission that is open has more to read than its row: thousands of others must not be asked about. */
function aboutJob(queries: QueryClient, { id, missionId }: Job): readonly string[] {
  const isOpen = (...key: readonly string[]) => queries.getQueryState(key) !== undefined;
  return [
    ...(isOpen("job", id) ? ["job", "attempts", "job events", "job trace"] : []),
    ...(isOpen("waiting jobs", missionId) ? ["waiting jobs"] : []),
  ];
}

function patchPages<P>(
  pages: InfiniteData<P> | undefined,
  change: (page: P) => P,
): InfiniteData<P> | undefined {
  if (pages === undefined) return undefined;
  const changed = pages.pages.map(change);
  return changed.every((page, index) => page === pages.pages[index]) ? pages : { ...pages, pages: changed };
}

function patchField<P extends object, F extends keyof P>(page: P, field: F, value: P[F]): P {
  return page[field] === value ? page : { ...page, [field]: value };
}
