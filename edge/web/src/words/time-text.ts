import { durationText } from "./duration-text.ts";

/** The zone that absolute times are written in. */
export type Zone = "local" | "utc";

/** Epoch milliseconds of a timestamp, with its fraction; undefined where there is none. */
export function timeMs(timestamp: string | undefined): number | undefined {
  if (timestamp === undefined) return undefined;
  const fraction = /\.(\d+)Z$/.exec(timestamp)?.[1] ?? "";
  const wholeMs = Date.parse(timestamp.replace(/\.\d+Z$/, "Z"));
  return Number.isNaN(wholeMs) ? undefined : wholeMs + Number(`0.${fraction || "0"}`) * 1_000;
}

/** How long ago or how far ahead, in one unit: `now`, `12 s ago`, `in 3 min`, `2 d ago`. */
export function relativeText(atMs: number, nowMs: number): string {
  const awayMs = Math.abs(nowMs - atMs);
  if (awayMs < 1_500) return "now";
  const [amount, unit] = inOneUnit(awayMs);
  return atMs > nowMs ? `in ${amount} ${unit}` : `${amount} ${unit} ago`;
}

function inOneUnit(ms: number): readonly [number, string] {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return [seconds, "s"];
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return [minutes, "min"];
  const hours = Math.round(minutes / 60);
  return hours < 48 ? [hours, "h"] : [Math.round(hours / 24), "d"];
}

/** Date and time to the millisecond with its zone, for a tooltip: `2026-11-21 14:02:07.123 UTC`. */
export function absoluteText(atMs: number, zone: Zone): string {
  const { date, time, name } = parts(atMs, zone);
  return `${date} ${time}.${String(Math.floor(atMs) % 1_000).padStart(3, "0")} ${name}`;
}

/** The time of day, with the date where it is not today's. */
export function clockText(atMs: number, nowMs: number, zone: Zone): string {
  const { date, time } = parts(atMs, zone);
  return date === parts(nowMs, zone).date ? time : `${date} ${time}`;
}

function parts(atMs: number, zone: Zone): { date: string; time: string; name: string } {
  if (zone === "utc") {
    const text = new Date(atMs).toISOString();
    return { date: text.slice(0, 10), time: text.slice(11, 19), name: "UTC" };
  }
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, "0");
  const offset = -at.getTimezoneOffset();
  const sign = offset < 0 ? "−" : "+";
  const away = `${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return {
    date: `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`,
    time: `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`,
    name: offset === 0 ? "UTC" : `UTC${sign}${away}`,
  };
}

/** How far an answer of the read model is behind. */
export function lagText(lagMs: number): string {
  return lagMs < 1_000 ? "up to date" : `${durationText(lagMs)} behind`;
}
