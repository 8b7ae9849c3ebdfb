import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { type FormEvent, useCallback, useEffect, useRef, useState } from "react";
import { overview } from "../data/readings.ts";
import { countText } from "../words/count-text.ts";
import { Icon, type IconName } from "./icons.tsx";
import { useFeedState, useSession } from "./session.tsx";
import { SettingsDialog } from "./settings-dialog.tsx";
import { useKeys } from "./use-keys.ts";

const PLACES = [
  ["/", "Overview", "overview"],
  ["/jobs", "Jobs", "jobs"],
  ["/missions", "Missions", "missions"],
  ["/queues", "Queues", "queues"],
  ["/workers", "Workers", "workers"],
  ["/alerts", "Alerts", "alerts"],
] as const satisfies readonly (readonly [string, string, IconName])[];

/** What stands around every page: the rail with its places, the bar with the search and the state of the stream. */
export function Shell() {
  const [asked, setAsked] = useState(false);
  const main = useFocusOnNewPage();
  const ask = useCallback(() => setAsked(true), []);
  useKeys({ onHelp: ask });
  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Rail />
      <header className="bar">
        <Search />
        <FeedSwitch />
        <button type="button" className="ghost bar-keys" onClick={ask}>
          <Icon name="keys" />
          <span className="unseen">Settings and keys</span>
        </button>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
      {asked && <SettingsDialog onClose={() => setAsked(false)} />}
    </div>
  );
}

function Rail() {
  const { reader } = useSession();
  const { data } = useQuery(overview(reader));
  const counts: Readonly<Record<string, { count: number; tone: "bad" | "warn"; about: string }>> = {
    "/alerts": { count: data?.alerts.length ?? 0, tone: "bad", about: "active alerts" },
    "/missions": { count: data?.missions.NEEDS_ATTENTION ?? 0, tone: "warn", about: "need attention" },
  };
  return (
    <nav className="rail" aria-label="Places">
      <p className="brand">
        <img src={new URL("../mark.svg", import.meta.url).href} alt="" width="26" height="26" />
        <span className="brand-name">Orrery</span>
        <span className="brand-project">{data?.project ?? " "}</span>
      </p>
      <ul>
        {PLACES.map(([to, text, icon]) => {
          const badge = counts[to];
          return (
            <li key={to} data-place={text}>
              <Link to={to} activeOptions={{ exact: to === "/", includeSearch: false }}>
                <Icon name={icon} />
                <span className="rail-text">{text}</span>
                {badge !== undefined && badge.count > 0 && (
                  <span className="rail-count" data-tone={badge.tone}>
                    {countText(badge.count)}
                    <span className="unseen"> {badge.about}</span>
                  </span>
                )}
              </Link>
            </li>
          );
        })}
      </ul>
    </nav>
  );
}

/** Searches jobs from anywhere; on the list of jobs or missions its own box takes the `/` key instead. */
function Search() {
  const navigate = useNavigate();
  const field = useRef<HTMLInputElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  if (path === "/jobs" || path === "/missions") return <span className="bar-search" />;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const q = field.current?.value.trim() ?? "";
    const to = { to: "/jobs", search: { q: q || undefined } } as const;
    void navigate(to);
  };
  return (
    <form className="bar-search" role="search" onSubmit={submit}>
      <Icon name="search" />
      <input
        ref={field}
        data-search
        type="search"
        aria-label="Search jobs"
        placeholder="Search jobs: status:failed created:>-1h"
        spellCheck={false}
        autoComplete="off"
      />
      <kbd>/</kbd>
    </form>
  );
}

const FEED_TEXT = {
  connecting: "connecting",
  live: "live",
  lost: "reconnecting",
  paused: "paused",
  asleep: "asleep",
} as const;

function FeedSwitch() {
  const { feed } = useSession();
  const state = useFeedState();
  const paused = state === "paused";
  return (
    <button
      type="button"
      className="feed"
      data-state={state}
      aria-pressed={paused}
      title={paused ? "Go on (l)" : "Pause what changes by itself (l)"}
      onClick={() => (paused ? feed.resume() : feed.pause())}
    >
      <span className="feed-dot" aria-hidden="true" />
      <span>{FEED_TEXT[state]}</span>
    </button>
  );
}

/** A new page is told: its heading gets the focus, so that a screen reader reads it and the keyboard starts there. */
function useFocusOnNewPage() {
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.pathname });
  const before = useRef(path);
  useEffect(() => {
    if (path === undefined || before.current === path) return;
    const first = before.current === undefined;
    before.current = path;
    // The first page is the browser's own to announce.
    if (!first) main.current?.querySelector("h1")?.focus({ preventScroll: true });
  }, [path]);
  return main;
}
