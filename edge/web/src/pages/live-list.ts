import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useFeedState, useSession } from "../app/session.tsx";
import type { ListAsked, Listing, ListName } from "../data/readings.ts";
import { newestRows, type Versioned } from "../domain/newest.ts";

/** Reads a list page by page, and looks what has come since at its top. */
export function useLiveList<L extends ListName, Row extends Versioned>(
  { pages, newest, rowsOf }: Listing<L, Row>,
  { q, orderBy }: ListAsked,
) {
  const { reader } = useSession();
  const asked = useMemo(() => ({ q, orderBy }), [q, orderBy]);
  const list = useInfiniteQuery(pages(reader, asked));
  const live = useFeedState() !== "paused";
  const look = useQuery({
    ...newest(reader, asked),
    enabled: list.isSuccess && live,
    initialData: () => list.data?.pages[0],
    initialDataUpdatedAt: list.dataUpdatedAt,
  });
  const first = look.data;
  const queries = useQueryClient();
  // What the stream missed, the look at the first page makes good.
  const rows = useMemo(() => {
    const news = new Map(first && rowsOf(first).map((row) => [row.id, row]));
    return newestRows(list.data?.pages.flatMap(rowsOf) ?? [], news);
  }, [list.data, first, rowsOf]);
  const showNewest = useCallback(() => {
    const page = queries.getQueryData(newest(reader, asked).queryKey);
    if (page !== undefined)
      queries.setQueryData(pages(reader, asked).queryKey, { pages: [page], pageParams: [""] });
  }, [queries, reader, asked, pages, newest]);
  return {
    latest: list.data && (first ?? list.data.pages[0]),
    // What an event patches counts as read at once: only the look knows when the platform last answered.
    readAtMs: look.dataUpdatedAt || list.dataUpdatedAt,
    error: list.error ?? look.error,
    pending: list.isPending,
    refetch: () => void (list.error === null ? look : list).refetch(),
    rows: {
      rows,
      live,
      showNewest,
      first: first && { rows: rowsOf(first), whole: first.nextPageToken === "" },
      hasMore: list.hasNextPage,
      loadingMore: list.isFetchingNextPage,
      loadMore: () => void list.fetchNextPage(),
    },
  };
}
