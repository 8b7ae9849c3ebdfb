const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * A span of time in the two largest units that matter, such as `850 ms`, `4.2 s`, `3m 07s`, `2h 15m`, `4d 3h`.
 *
 * @param ms - milliseconds; negative ones count as 0
 */
export function durationText(ms: number): string {
  const span = Math.max(0, ms);
  if (span < 1) return span === 0 ? "0 ms" : `${Math.max(0.01, span).toFixed(2)} ms`;
  if (span < SECOND) return `${span < 10 ? span.toFixed(1) : Math.round(span)} ms`;
  // Each unit ends where rounding would fill it: 59.97 s are not "60.0 s".
  if (span < MINUTE - 50) return `${(span / SECOND).toFixed(1)} s`;
  if (span < HOUR - SECOND / 2) return pair(Math.round(span / SECOND), 60, "m", "s");
  if (span < DAY - MINUTE / 2) return pair(Math.round(span / MINUTE), 60, "h", "m");
  return pair(Math.round(span / HOUR), 24, "d", "h");
}

function pair(small: number, size: number, large: string, unit: string): string {
  return `${Math.floor(small / size)}${large} ${String(small % size).padStart(2, "0")}${unit}`;
}

/** Milliseconds of a ProtoJSON duration, such as `"1.5s"`; undefined for anything else. */
export function durationMs(text: string | undefined): number | undefined {
  const seconds = /^(-?\d+(?:\.\d{1,9})?)s$/.exec(text ?? "")?.[1];
  return seconds === undefined ? undefined : Number(seconds) * SECOND;
}
