import { readFileSync } from "node:fs";
import type { Json } from "./api.ts";
import { usage } from "./failure.ts";

/** The input of a job: JSON text, so that a number goes out exactly as it was written. */
export type InputText = string | undefined;

/**
 * Reads `-i`: JSON, `@file` or `-` for standard input, and then applies each `--set a.b=value`.
 *
 * @throws Failure with exit code 2 that says what cannot be read
 */
export async function readInput(
  given: string | undefined,
  settings: readonly string[],
  stdin: AsyncIterable<Uint8Array | string>,
): Promise<InputText> {
  const text = given === undefined ? undefined : await textOf(given, stdin);
  if (text !== undefined) checkJson(text);
  if (settings.length === 0) return text?.trim();
  const parsed = text === undefined ? {} : (JSON.parse(text, refuseRounding) as Json);
  return JSON.stringify(settings.reduce(applySetting, parsed));
}

async function textOf(given: string, stdin: AsyncIterable<Uint8Array | string>): Promise<string> {
  if (given === "-") return streamText(stdin);
  if (!given.startsWith("@")) return given;
  try {
    return readFileSync(given.slice(1), "utf8");
  } catch (error) {
    throw usage(`${given.slice(1)} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

/** All of a stream, as text. */
export async function streamText(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString("utf8");
}

function checkJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw usage(
      `the input is not JSON: ${(error as Error).message}`,
      `quote it for the shell: -i '{"a": 1}'`,
    );
  }
}

function refuseRounding(this: unknown, name: string, value: unknown): unknown {
  if (typeof value !== "number" || !Number.isInteger(value) || Number.isSafeInteger(value)) return value;
  throw usage(`the number at ${name} is too large to go through --set unchanged`, "write it into -i instead");
}

function applySetting(input: Json, setting: string): Json {
  const at = setting.indexOf("=");
  if (at < 1) throw usage(`--set ${setting} has to be a.b=value`);
  return withValue(input, setting.slice(0, at).split("."), settingValue(setting.slice(at + 1)));
}

/** A value is JSON where it reads as JSON, and text otherwise: `n=1` is a number, `s=hello` a string. */
function settingValue(text: string): Json {
  try {
    return JSON.parse(text, refuseRounding) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function withValue(input: Json | undefined, [name = "", ...rest]: readonly string[], value: Json): Json {
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  if (input !== undefined && !isObject)
    throw usage(`--set cannot reach ${name}: there is no object to hold it`);
  const fields = (input ?? {}) as Readonly<Record<string, Json | undefined>>;
  const inside = rest.length === 0 ? value : withValue(fields[name], rest, value);
  return Object.fromEntries([...Object.entries(fields).filter(([key]) => key !== name), [name, inside]]);
}

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Reads a duration such as `250ms`, `5m` or `1.5h`.
 *
 * @returns milliseconds
 */
export function durationMs(text: string, flag: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count === undefined)
    throw usage(`${flag} ${text} has to be a duration such as 250ms, 30s, 5m, 2h or 1d`);
  return Math.round(Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]);
}

/** The same as the API writes it: seconds, such as `"300s"`. */
export const durationText = (text: string, flag: string): string => `${durationMs(text, flag) / 1_000}s`;

/** Reads a whole number within limits. */
export function wholeNumber(text: string, flag: string, { min, max }: { min: number; max: number }): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
  throw usage(`${flag} ${text} has to be a whole number from ${min} to ${max}`);
}

/** Reads labels, each `key=value`. */
export function labelsOf(labels: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    labels.map((label) => {
      const at = label.indexOf("=");
      if (at < 1) throw usage(`--label ${label} has to be key=value`);
      return [label.slice(0, at), label.slice(at + 1)];
    }),
  );
}
