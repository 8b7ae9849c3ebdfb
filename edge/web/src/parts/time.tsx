import { useChoice, zone } from "../app/appearance.ts";
import { durationText } from "../words/duration-text.ts";
import { absoluteText, relativeText, timeMs } from "../words/time-text.ts";
import { useNow } from "./clock.ts";

/** A moment: how long ago, and on hover exactly when. */
export function When({ at, absent = "–" }: { at: string | undefined; absent?: string }) {
  const nowMs = useNow();
  const chosen = useChoice(zone);
  const atMs = timeMs(at);
  if (atMs === undefined) return <span className="dim">{absent}</span>;
  return (
    <time dateTime={at} title={absoluteText(atMs, chosen)}>
      {relativeText(atMs, nowMs)}
    </time>
  );
}

/** A span of time; one without an end goes on until now. */
export function Took({ from, to }: { from: string | undefined; to: string | undefined }) {
  const nowMs = useNow();
  const fromMs = timeMs(from);
  if (fromMs === undefined) return <span className="dim">–</span>;
  const toMs = timeMs(to);
  return <span className="number">{durationText((toMs ?? Math.max(fromMs, nowMs)) - fromMs)}</span>;
}

/** The time left until something happens by itself. */
export function Countdown({ until }: { until: string }) {
  const nowMs = useNow();
  const untilMs = timeMs(until);
  if (untilMs === undefined) return null;
  return <span className="number">{untilMs <= nowMs ? "any moment" : durationText(untilMs - nowMs)}</span>;
}
