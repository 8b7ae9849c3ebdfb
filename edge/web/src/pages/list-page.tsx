import { Link, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ListAsked, Listing, ListName } from "../data/readings.ts";
import type { Versioned } from "../domain/newest.ts";
import { droppableTerms } from "../domain/query-terms.ts";
import { LiveRows } from "../parts/live-rows.tsx";
import { PageHead } from "../parts/page.tsx";
import { isQueryFault, QueryBox } from "../parts/query-box.tsx";
import { QueryHelp } from "../parts/query-help.tsx";
import { Empty, Freshness, Skeleton, Trouble } from "../parts/states.tsx";
import { totalText } from "../words/count-text.ts";
import { useLiveList } from "./live-list.ts";

type Place = "/jobs" | "/missions";

export interface ListPageParts<L extends ListName, Row extends Versioned> {
  readonly name: string;
  readonly noun: string;
  readonly to: Place;
  readonly asked: ListAsked;
  readonly listing: Listing<L, Row>;
  readonly placeholder: string;
  readonly views: readonly (readonly [name: string, query: string])[];
  readonly orders: readonly (readonly [order: string, name: string])[];
  /** What makes the first one. */
  readonly command: string;
  readonly head: ReactNode;
  readonly rowClass: string;
  cells(row: Row): ReactNode;
}

/** A list behind a query: what is asked for, how much of it there is, and the rows, live. */
export function ListPage<L extends ListName, Row extends Versioned>(parts: ListPageParts<L, Row>) {
  const { name, to, asked, head, rowClass, cells } = parts;
  const { q, orderBy } = asked;
  const { latest, readAtMs, error, pending, refetch, rows } = useLiveList(parts.listing, asked);
  const nothing = latest !== undefined && rows.rows.length === 0 && !rows.first?.rows.length;
  return (
    <>
      <PageHead title={name} name={name}>
        {latest && <Freshness {...latest} readAtMs={readAtMs} />}
      </PageHead>
      <QueryBox
        q={q}
        to={to}
        label={`Search ${name.toLowerCase()}`}
        placeholder={parts.placeholder}
        error={error}
      />
      <div className="list-tools">
        <Views to={to} q={q} views={parts.views} />
        <OrderBy to={to} orderBy={orderBy} orders={parts.orders} />
      </div>
      <QueryHelp of={to === "/jobs" ? "jobs" : "missions"} />
      {error !== null && !isQueryFault(error) && <Trouble error={error} retry={refetch} />}
      {pending && <Skeleton rows={12} />}
      {latest && <Total page={latest} all={q === ""} />}
      {nothing && <NothingFits {...parts} q={q} terms={droppableTerms(q)} />}
      {latest && !nothing && (
        <LiveRows
          key={`${q} ${orderBy}`}
          {...rows}
          head={head}
          rowClass={rowClass}
          cells={cells}
          label={name}
          total={latest.totalExact ? latest.totalSize : -1}
        />
      )}
    </>
  );
}

function Total({
  page: { totalSize, totalExact },
  all,
}: {
  page: { readonly totalSize: number; readonly totalExact: boolean };
  all: boolean;
}): ReactNode {
  return (
    <p className="total">
      {totalText(totalSize, totalExact)} {all ? "in all" : "fit, searched over everything"}
    </p>
  );
}

/** Views that everybody has: a name and the query behind it. */
function Views({
  to,
  q,
  views,
}: {
  to: Place;
  q: string;
  views: readonly (readonly [name: string, query: string])[];
}) {
  return (
    <nav className="views" aria-label="Views">
      {views.map(([name, query]) => (
        <Link
          key={name}
          to={to}
          search={(before) => ({ ...before, q: query || undefined })}
          activeOptions={{ exact: true, explicitUndefined: true }}
          aria-current={q === query ? "page" : undefined}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}

/** In which order a list stands. */
function OrderBy({
  to,
  orderBy,
  orders,
}: {
  to: Place;
  orderBy: string;
  orders: readonly (readonly [order: string, name: string])[];
}) {
  const navigate = useNavigate();
  const change = (order: string) =>
    void navigate({ to, search: (before) => ({ ...before, orderBy: order || undefined }) });
  return (
    <label className="order">
      <span>Order</span>
      <select value={orderBy} onChange={({ target }) => change(target.value)}>
        {orders.map(([order, name]) => (
          <option key={order} value={order}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Nothing fits a query: what to leave out. Without a query there is nothing at all, and what makes the first one. */
function NothingFits({
  q,
  to,
  terms,
  command,
  noun,
}: {
  q: string;
  to: Place;
  terms: readonly string[];
  command: string;
  noun: string;
}) {
  if (q === "")
    return (
      <Empty title={`There is no ${noun} yet.`}>
        <p>
          Make the first one: <code className="command">{command}</code>
        </p>
      </Empty>
    );
  return (
    <Empty title={`No ${noun} fits this query.`}>
      {terms.length > 1 && (
        <>
          <p className="dim">Without one of its terms:</p>
          <ul className="drop-terms">
            {terms.map((term) => (
              <li key={term}>
                <Link
                  to={to}
                  search={(before) => ({ ...before, q: terms.filter((one) => one !== term).join(" ") })}
                >
                  <s>{term}</s>
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
      <p>
        <Link to={to}>Show all</Link>
      </p>
    </Empty>
  );
}
