import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { useFeedState, useSession } from "../app/session.tsx";
import { missions, newestMissions } from "../data/readings.ts";
import { newestRows } from "../domain/newest.ts";
import { MissionCells, MissionHead } from "../parts/mission-rows.tsx";
import { ListPage } from "./list-page.tsx";

const VIEWS = [
  ["All", ""],
  ["In flight", "status:pending,running,compensating"],
  ["Needs attention", "status:needs_attention"],
  ["Compensated", "status:compensated"],
  ["Failed", "status:failed"],
] as const;

const ORDERS = [
  ["", "newest first"],
  ["createTime asc", "oldest first"],
  ["startTime desc", "latest started"],
  ["endTime desc", "latest ended"],
] as const;

const COMMAND = "npx orrery mission launch --help";

/** Missions that fit a query, live. */
export function MissionsPage() {
  const { reader } = useSession();
  const { q = "", orderBy = "" } = useSearch({ from: "/missions" });
  const asked = useMemo(() => ({ q, orderBy }), [q, orderBy]);
  const list = useInfiniteQuery(missions(reader, asked));
  const live = useFeedState() !== "paused";
  const newest = useQuery({ ...newestMissions(reader, asked), enabled: list.isSuccess && live });
  const queries = useQueryClient();
  // What the stream missed, the look at the first page makes good.
  const rows = useMemo(() => {
    const news = new Map(newest.data?.missions.map((one) => [one.id, one]));
    return newestRows(list.data?.pages.flatMap((page) => page.missions) ?? [], news);
  }, [list.data, newest.data]);
  const showNewest = useCallback(() => {
    const page = queries.getQueryData(newestMissions(reader, asked).queryKey);
    if (page !== undefined)
      queries.setQueryData(missions(reader, asked).queryKey, { pages: [page], pageParams: [""] });
  }, [queries, reader, asked]);
  return (
    <ListPage
      {...asked}
      name="Missions"
      noun="mission"
      to="/missions"
      placeholder="status:needs_attention name:order.*"
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
        first: newest.data && { rows: newest.data.missions, whole: newest.data.nextPageToken === "" },
        head: <MissionHead />,
        rowClass: "mission-row",
        hasMore: list.hasNextPage,
        loadingMore: list.isFetchingNextPage,
        loadMore: () => void list.fetchNextPage(),
        cells: (mission) => <MissionCells mission={mission} />,
      }}
    />
  );
}
