import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useFeedState, useSession } from "../app/session.tsx";
import { jobs, newestJobs } from "../data/readings.ts";
import { newestRows } from "../domain/newest.ts";
import { JobCells, JobHead } from "../parts/job-rows.tsx";
import { ListPage } from "./list-page.tsx";

const VIEWS = [
  ["All", ""],
  ["In flight", "status:scheduled,queued,running,retrying"],
  ["Running", "status:running"],
  ["Retrying", "status:retrying"],
  ["Failed", "status:failed"],
  ["Failed today", "status:failed finished:today"],
  ["Slow", "duration:>10s"],
] as const;

const ORDERS = [
  ["", "newest first"],
  ["createTime asc", "oldest first"],
  ["startTime desc", "latest started"],
  ["endTime desc", "latest ended"],
  ["priority desc", "highest priority"],
] as const;

const COMMAND = `npx orrery job run orrery.sleep -i '{"ms":1500}'`;

/** Jobs that fit a query, live. */
export function JobsPage() {
  const { reader } = useSession();
  const { q = "", orderBy = "" } = useSearch({ from: "/jobs" });
  const asked = useMemo(() => ({ q, orderBy }), [q, orderBy]);
  const list = useInfiniteQuery(jobs(reader, asked));
  const live = useFeedState() !== "paused";
  const newest = useQuery({ ...newestJobs(reader, asked), enabled: list.isSuccess && live });
  const queries = useQueryClient();
  // What the stream missed, the look at the first page makes good.
  const rows = useMemo(() => {
    const news = new Map(newest.data?.jobs.map((one) => [one.id, one]));
    return newestRows(list.data?.pages.flatMap((page) => page.jobs) ?? [], news);
  }, [list.data, newest.data]);
  const showNewest = useCallback(() => {
    const page = queries.getQueryData(newestJobs(reader, asked).queryKey);
    if (page !== undefined)
      queries.setQueryData(jobs(reader, asked).queryKey, { pages: [page], pageParams: [""] });
  }, [queries, reader, asked]);
  return (
    <ListPage
      {...asked}
      name="Jobs"
      noun="job"
      to="/jobs"
      placeholder="status:failed task:video.* created:>-2h"
      views={VIEWS}
      orders={ORDERS}
      command={COMMAND}
      latest={list.data && (newest.data ?? list.data.pages[0])}
      error={list.error}
      pending={list.isPending}
      refetch={() => void list.refetch()}
      rows={{
        rows,
        live,
        showNewest,
        first: newest.data && { rows: newest.data.jobs, whole: newest.data.nextPageToken === "" },
        head: <JobHead />,
        rowClass: "job-row",
        hasMore: list.hasNextPage,
        loadingMore: list.isFetchingNextPage,
        loadMore: () => void list.fetchNextPage(),
        cells: (job) => <JobCells job={job} />,
      }}
    />
  );
}
