import { infiniteQueryOptions, queryOptions, replaceEqualDeep } from "@tanstack/react-query";
import type { Answer } from "../api/contract.ts";
import type { Reader } from "../api/read.ts";
import { hasEnded } from "../domain/status-look.ts";

/** What the events do not tell (workers that fall silent, alerts of the platform) is looked at this often. */
const LOOK_MS = 10_000;
/** Counts and rows are looked at this often without any event: a broken stream must not freeze the page. */
const CHECK_MS = 5_000;

export const overview = ({ read }: Reader) =>
  queryOptions({
    queryKey: ["overview"],
    queryFn: ({ signal }) => read("getOverview", {}, signal),
    refetchInterval: CHECK_MS,
  });

export const metrics = ({ read }: Reader) =>
  queryOptions({
    queryKey: ["metrics"],
    queryFn: ({ signal }) => read("getMetrics", {}, signal),
    refetchInterval: CHECK_MS,
  });

/** What a list is asked for; every part of it stands in the address. */
export interface ListAsked {
  readonly q: string;
  readonly orderBy: string;
}

const PAGE_SIZE = 50;
/** How long a list that nobody looks at stays: its pages and the look at their top, which go together. */
const LIST_KEPT_MS = 30_000;

export type ListName = "listJobs" | "listMissions";

/** The pages of a list that were read, and how to read the next. */
const pagesOf =
  <L extends ListName>(list: L, name: string) =>
  ({ read }: Reader, { q, orderBy }: ListAsked) =>
    infiniteQueryOptions({
      queryKey: [name, q, orderBy],
      queryFn: ({ pageParam, signal }) =>
        read(list, { q, orderBy, pageSize: PAGE_SIZE, pageToken: pageParam }, signal),
      initialPageParam: "",
      getNextPageParam: ({ nextPageToken }) => nextPageToken || undefined,
      // Rows are patched by events, and new ones wait for the reader: reading all pages again would make them jump.
      staleTime: Number.POSITIVE_INFINITY,
      gcTime: LIST_KEPT_MS,
    });

/** The first page anew, to see what came since the list was read. */
const firstPageOf =
  <L extends ListName>(list: L, name: string) =>
  ({ read }: Reader, { q, orderBy }: ListAsked) =>
    queryOptions({
      queryKey: [name, q, orderBy],
      queryFn: ({ signal }) => read(list, { q, orderBy, pageSize: PAGE_SIZE }, signal),
      refetchInterval: CHECK_MS,
      staleTime: CHECK_MS,
      gcTime: LIST_KEPT_MS,
    });

/** The two readings of a list of such rows. */
export interface Listing<L extends ListName, Row> {
  readonly pages: ReturnType<typeof pagesOf<L>>;
  readonly newest: ReturnType<typeof firstPageOf<L>>;
  rowsOf(page: Answer<L>): readonly Row[];
}

export const jobs = pagesOf("listJobs", "jobs");
export const newestJobs = firstPageOf("listJobs", "newest jobs");
export const missions = pagesOf("listMissions", "missions");
export const newestMissions = firstPageOf("listMissions", "newest missions");

/** What is still under way is looked at without any event too. */
const untilEnd = (status: string | undefined): number | false =>
  status !== undefined && hasEnded(status) ? false : CHECK_MS;

/** Events patch what is shown at once: an answer that was on its way meanwhile must not take it back. */
const neverOlder = (shown: unknown, read: unknown): unknown =>
  versionOf(shown) > versionOf(read) ? shown : replaceEqualDeep(shown, read);
const versionOf = (document: unknown): number => (document as { version?: number } | undefined)?.version ?? 0;

export const job = ({ read }: Reader, id: string) =>
  queryOptions({
    queryKey: ["job", id],
    queryFn: ({ signal }) => read("getJob", { id }, signal),
    structuralSharing: neverOlder,
    refetchInterval: ({ state }) => untilEnd(state.data?.status),
  });

export const attempts = ({ read }: Reader, id: string) =>
  queryOptions({
    queryKey: ["attempts", id],
    queryFn: ({ signal }) => read("listJobAttempts", { id }, signal),
    refetchInterval: LOOK_MS,
  });

export const jobEvents = ({ read }: Reader, id: string) =>
  queryOptions({
    queryKey: ["job events", id],
    queryFn: ({ signal }) => read("listJobEvents", { id, pageSize: 1_000 }, signal),
    refetchInterval: LOOK_MS,
  });

export const jobTrace = ({ read }: Reader, id: string) =>
  queryOptions({
    queryKey: ["job trace", id],
    queryFn: ({ signal }) => read("getJobTrace", { id }, signal),
    refetchInterval: LOOK_MS,
  });

export const mission = ({ read }: Reader, id: string) =>
  queryOptions({
    queryKey: ["mission", id],
    queryFn: ({ signal }) => read("getMission", { id }, signal),
    structuralSharing: neverOlder,
    refetchInterval: ({ state }) => untilEnd(state.data?.status),
  });

/** Those of a mission's jobs that wait, with what holds them. */
export const waitingJobs = ({ read }: Reader, id: string) =>
  queryOptions({
    queryKey: ["waiting jobs", id],
    queryFn: ({ signal }) =>
      read("listJobs", { q: `mission:${id} status:queued,retrying`, pageSize: PAGE_SIZE }, signal),
    refetchInterval: CHECK_MS,
  });

export const missionEvents = ({ read }: Reader, id: string) =>
  queryOptions({
    queryKey: ["mission events", id],
    queryFn: ({ signal }) => read("listMissionEvents", { id, pageSize: 1_000 }, signal),
    refetchInterval: LOOK_MS,
  });

export const queues = ({ read }: Reader) =>
  queryOptions({
    queryKey: ["queues"],
    queryFn: ({ signal }) => read("listQueues", {}, signal),
    refetchInterval: CHECK_MS,
  });

export const workers = ({ read }: Reader) =>
  queryOptions({
    queryKey: ["workers"],
    queryFn: ({ signal }) => read("listWorkers", {}, signal),
    refetchInterval: CHECK_MS,
  });

export const alerts = ({ read }: Reader, includeResolved: boolean) =>
  queryOptions({
    queryKey: ["alerts", includeResolved],
    queryFn: ({ signal }) => read("listAlerts", { includeResolved, pageSize: 100 }, signal),
    refetchInterval: LOOK_MS,
  });

/** A runbook is served with the page, not by the API: it needs no key, and takes one. */
export const runbook = ({ open }: Reader, name: string) =>
  queryOptions({
    queryKey: ["runbook", name],
    queryFn: async ({ signal }) => {
      const target = `/runbooks/${encodeURIComponent(name)}`;
      return (
        await open(target, { headers: { accept: "text/markdown, application/problem+json" }, signal })
      ).text();
    },
    staleTime: Number.POSITIVE_INFINITY,
  });

export const missionTrace = ({ read }: Reader, id: string) =>
  queryOptions({
    queryKey: ["mission trace", id],
    queryFn: ({ signal }) => read("getMissionTrace", { id }, signal),
    refetchInterval: LOOK_MS,
  });
