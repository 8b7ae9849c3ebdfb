const TIMESTAMP =
  /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/**
 * Why a text is no timestamp of RFC 3339; undefined when it is one.
 *
 * protobuf-es leaves this to `Date.parse`, which takes 30 February for 1 March, and 24:00 for the next day.
 */
export function timestampFault(text: string): string | undefined {
  const fault = "expected a time of RFC 3339, as 2026-01-31T12:00:00Z";
  const parts = TIMESTAMP.exec(text);
  if (parts === null) return fault;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number);
  if (year < 1 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return fault;
  return day >= 1 && day <= daysInMonth(year, month) ? undefined : fault;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const DURATION = /^-?(\d{1,12})(?:\.\d{1,9})?s$/;
const DURATION_SECONDS_MAX = 315_576_000_000;

/**
 * Why a text is no duration of ProtoJSON; undefined when it is one. protobuf-es does not look behind the `s`.
 */
export function durationFault(text: string): string | undefined {
  const seconds = DURATION.exec(text)?.[1];
  if (seconds !== undefined && Number(seconds) <= DURATION_SECONDS_MAX) return undefined;
  return "expected seconds, as 1.5s";
}

const MASK_PATH = /^(?:\*|[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*)$/;

/** Why a text is no field mask of ProtoJSON; undefined when it is one. */
export function fieldMaskFault(text: string): string | undefined {
  if (text === "" || text.split(",").every((path) => MASK_PATH.test(path))) return undefined;
  return "expected field paths in lowerCamelCase, separated by commas";
}
