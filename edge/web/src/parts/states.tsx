import { type ReactNode, useEffect, useState } from "react";
import { Problem } from "../api/problem.ts";
import { useChoice, zone } from "../app/appearance.ts";
import { useFeedState } from "../app/session.tsx";
import { clockText, lagText, relativeText, timeMs } from "../words/time-text.ts";
import { useNow } from "./clock.ts";
import { Mark } from "./status.tsx";

const SKELETON_AFTER_MS = 150;

/** Rows of the true height while nothing has come yet; not before 150 ms, so that a quick answer does not flicker. */
export function Skeleton({ rows = 6 }: { rows?: number }) {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setShown(true), SKELETON_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div className="skeleton" role="status" aria-label="Loading" data-shown={shown}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike and never move.
        <span key={row} />
      ))}
    </div>
  );
}

/** Nothing is there, and what can be done about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {children}
    </div>
  );
}

/** Something could not be read. It fails alone, says why, and can be tried again. */
export function Trouble({ error, retry }: { error: Error; retry?: () => void }) {
  const problem = error instanceof Problem ? error : undefined;
  return (
    <div className="trouble" role="alert">
      <p>
        <Mark shape="triangle" /> <strong>{problem?.title ?? "Something went wrong on this page"}</strong>
      </p>
      <p className="trouble-detail">{problem?.detail || (problem ? "" : error.message)}</p>
      <p className="trouble-foot">
        {retry && (
          <button type="button" onClick={retry}>
            Try again
          </button>
        )}
        {problem?.reason && <a href={`/problems/${problem.reason}`}>{problem.reason}</a>}
        {problem?.traceId && <code title="trace id">{problem.traceId}</code>}
      </p>
    </div>
  );
}

const LATE_MS = 5_000;
const STALE_MS = 60_000;

/** Every reading is repeated within ten seconds: one that is older than this was asked for and not answered. */
const UNANSWERED_MS = 15_000;

/** Whether what was read may be old: its events do not come, or its repetition was not answered. */
function useStanding(readAtMs: number) {
  const feed = useFeedState();
  const nowMs = Math.max(useNow(), readAtMs);
  const ageMs = nowMs - readAtMs;
  const unsure = feed === "lost" || ageMs > UNANSWERED_MS;
  const gone = feed !== "paused" && ageMs > STALE_MS;
  const level = gone ? "stale" : unsure || feed === "paused" ? "late" : "fresh";
  return { nowMs, level, lastRead: unsure ? `last read ${relativeText(readAtMs, nowMs)}` : undefined };
}

/** When this page last read something that is asked of the platform as it is now. */
export function Asked({ readAtMs, children }: { readAtMs: number; children: ReactNode }) {
  const { level, lastRead = "asked just now" } = useStanding(readAtMs);
  return (
    <span className="freshness" data-level={level}>
      {children}, {lastRead}
    </span>
  );
}

interface FreshnessOf {
  /** When this page read it, epoch milliseconds. */
  readonly readAtMs: number;
  readonly asOf?: string | undefined;
  readonly lagMs: number;
  readonly complete?: boolean;
}

/** How fresh an answer of the read model is: up to when it holds everything, and how far that is behind. */
export function Freshness({ readAtMs, asOf, lagMs, complete }: FreshnessOf) {
  const { nowMs, level, lastRead = lagText(lagMs) } = useStanding(readAtMs);
  const chosen = useChoice(zone);
  const atMs = timeMs(asOf);
  const behind = lagMs > STALE_MS ? "stale" : lagMs > LATE_MS ? "late" : "fresh";
  return (
    <span className="freshness" data-level={level === "fresh" || behind === "stale" ? behind : level}>
      {atMs !== undefined && <>as of {clockText(atMs, nowMs, chosen)} · </>}
      {lastRead}
      {complete === false && <strong> · incomplete: a part of the platform did not answer</strong>}
    </span>
  );
}

/** What a query of the cache has to say, as far as these parts need it. */
export interface Reading<T> {
  readonly data: T | undefined;
  readonly error: Error | null;
  readonly isPending: boolean;
  refetch(): unknown;
}

/** What was read, or what stands in its place: a skeleton, or the trouble. Old data stays beside a new trouble. */
export function Read<T>({
  reading,
  rows,
  children,
}: {
  reading: Reading<T>;
  rows?: number;
  children: (data: T) => ReactNode;
}) {
  const { data, error, isPending } = reading;
  return (
    <>
      {error !== null && <Trouble error={error} retry={() => void reading.refetch()} />}
      {data !== undefined && children(data)}
      {isPending && data === undefined && error === null && (
        <Skeleton {...(rows !== undefined && { rows })} />
      )}
    </>
  );
}
