/** A stretch of time or of numbers: from inclusive, below exclusive. */
export interface Stretch {
  readonly from: number;
  readonly below: number;
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DAY_MS = 86_400_000;
const RELATIVE = /^([+-])(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/i;
const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d|w)$/i;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/i;

/**
 * Reads a time: `-2h`, `+30m`, `now`, `today`, `yesterday`, `2026-11-20` (a day, in UTC) or an RFC 3339 time.
 *
 * @param nowMs - what relative times count from
 * @returns a whole day, or one millisecond; undefined for anything else
 */
export function readMoment(text: string, nowMs: number): Stretch | undefined {
  const lower = text.toLowerCase();
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  if (lower === "now") return instant(nowMs);
  if (lower === "today") return { from: today, below: today + DAY_MS };
  if (lower === "yesterday") return { from: today - DAY_MS, below: today };
  const relative = RELATIVE.exec(text);
  if (relative !== null) {
    const distanceMs = Number(relative[2]) * (UNIT_MS[(relative[3] ?? "").toLowerCase()] ?? 0);
    return instant(Math.round(nowMs + (relative[1] === "-" ? -distanceMs : distanceMs)));
  }
  if (DATE.test(text)) {
    const from = Date.parse(`${text}T00:00:00Z`);
    // The 30th of February is read as a day of March by some, so the way back has to give the same text.
    if (Number.isNaN(from) || new Date(from).toISOString().slice(0, 10) !== text) return undefined;
    return { from, below: from + DAY_MS };
  }
  const at = INSTANT.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  return Number.isNaN(at) ? undefined : instant(at);
}

/** Whether a text is a distance from now, which says since when but is no time that a job could equal. */
export function isRelative(text: string): boolean {
  return RELATIVE.test(text) || text.toLowerCase() === "now";
}

/** Reads a length of time: `250ms`, `30s`, `1.5m`, `2h`, `3d`, `1w`; in whole milliseconds. */
export function readDuration(text: string): Stretch | undefined {
  const parts = DURATION.exec(text);
  if (parts === null) return undefined;
  return instant(Math.round(Number(parts[1]) * (UNIT_MS[(parts[2] ?? "").toLowerCase()] ?? 0)));
}

/** Reads a whole number. */
export function readCount(text: string): Stretch | undefined {
  const value = Number(text);
  return /^-?\d{1,15}$/.test(text) && Number.isSafeInteger(value) ? instant(value) : undefined;
}

function instant(at: number): Stretch {
  return { from: at, below: at + 1 };
}
