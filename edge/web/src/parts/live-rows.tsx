import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useRef, useState } from "react";
import { listNews } from "../domain/list-news.ts";
import { countText } from "../words/count-text.ts";

/** Rows drawn beyond what is seen. */
const OVERSCAN = 12;
const ROW_GUESS_PX = 34;
/** As long as no more than this is scrolled, the reader looks at the top. */
const TOP_PX = 120;

interface Listed {
  readonly id: string;
}

export interface LiveRowsParts<T extends Listed> {
  readonly label: string;
  readonly rows: readonly T[];
  /** The first page as it is now; undefined where it has not come yet. */
  readonly first: { readonly rows: readonly T[]; readonly whole: boolean } | undefined;
  /** How many there are in all, for those who cannot see the length of the list; -1 where nobody knows. */
  readonly total: number;
  readonly head: ReactNode;
  readonly rowClass: string;
  readonly live: boolean;
  readonly hasMore: boolean;
  readonly loadingMore: boolean;
  loadMore(): void;
  /** Shows the first page as it is now. */
  showNewest(): void;
  cells(row: T): ReactNode;
}

/**
 * A list that stays current without jumping. Rows change in place. New ones come on top by themselves while the reader
 * looks at the top and touches nothing; otherwise they wait behind a button. Rows that no longer fit stay, dimmed.
 */
export function LiveRows<T extends Listed>(parts: LiveRowsParts<T>) {
  const { rows, first, label, head, total, live, hasMore, loadMore, loadingMore, showNewest } = parts;
  const frame = useRef<HTMLDivElement>(null);
  const touched = useTouched(frame);
  const news = first === undefined ? undefined : listNews(rows, first.rows, first.whole);
  const added = news?.added.length ?? 0;
  const settle = live && added > 0 && !touched && window.scrollY < TOP_PX;
  useEffect(() => {
    if (settle) showNewest();
  }, [settle, showNewest]);
  return (
    <div ref={frame} className="live-rows">
      <div className="pill-place" role="status">
        {added > 0 && !settle && (
          <button type="button" className="pill" onClick={showNewest}>
            ▲ {countText(added)}
            {first !== undefined && added >= first.rows.length ? " or more" : ""} new
          </button>
        )}
      </div>
      <div role="table" aria-label={label} aria-rowcount={total < 0 ? -1 : total + 1} className="rows">
        <div role="rowgroup">{head}</div>
        <VirtualRows {...parts} gone={news?.gone ?? NONE} />
      </div>
      {hasMore && (
        <p className="load-more">
          <button type="button" disabled={loadingMore} onClick={loadMore}>
            {loadingMore ? "Loading …" : "Load more"}
          </button>
        </p>
      )}
    </div>
  );
}

const NONE: ReadonlySet<string> = new Set();

function VirtualRows<T extends Listed>({
  rows,
  rowClass,
  gone,
  cells,
}: LiveRowsParts<T> & { gone: ReadonlySet<string> }) {
  const group = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    if (group.current) setTop(group.current.getBoundingClientRect().top + window.scrollY);
  }, []);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => ROW_GUESS_PX,
    overscan: OVERSCAN,
    scrollMargin: top,
    getItemKey: (index) => rows[index]?.id ?? index,
  });
  return (
    <div role="rowgroup" ref={group} className="virtual" style={{ height: virtual.getTotalSize() }}>
      {virtual.getVirtualItems().map(({ index, key, start }) => {
        const row = rows[index];
        if (row === undefined) return null;
        return (
          <div
            role="row"
            key={key}
            ref={virtual.measureElement}
            className={`row ${rowClass}`}
            data-row
            data-index={index}
            data-gone={gone.has(row.id)}
            aria-rowindex={index + 2}
            style={{ transform: `translateY(${start - virtual.options.scrollMargin}px)` }}
          >
            {cells(row)}
          </div>
        );
      })}
    </div>
  );
}

/** Whether the pointer or the focus is in a place: nothing there may move then. */
function useTouched(place: { readonly current: HTMLElement | null }): boolean {
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const ending = new AbortController();
    const { signal } = ending;
    element.addEventListener("pointerenter", ({ pointerType }) => setHovered(pointerType === "mouse"), {
      signal,
    });
    element.addEventListener("pointerleave", () => setHovered(false), { signal });
    element.addEventListener("focusin", () => setFocused(true), { signal });
    element.addEventListener("focusout", () => setFocused(false), { signal });
    return () => ending.abort();
  }, [place]);
  return hovered || focused;
}
