import { isObject, type Json, type JsonObject } from "../../domain/envelope-payload.ts";

/** Says why a text is no event that we can read; in words of ours, for whoever redrives the dead letter. */
export class NotAnEvent extends Error {}

export const DIGEST_LIMIT = 200;

/** @throws NotAnEvent */
export function refuse(why: string): never {
  throw new NotAnEvent(why);
}

/** @throws NotAnEvent for anything but the JSON text of an object */
export function parsed(text: string): JsonObject {
  try {
    const json = JSON.parse(text) as Json;
    if (isObject(json)) return json;
  } catch {
    // Said below, in words of our own: the parser's message may quote the payload.
  }
  return refuse("it is not a JSON object");
}

/** @throws NotAnEvent for anything but a text that is not empty */
export function textAt(from: JsonObject, key: string): string {
  const value = from[key];
  return typeof value === "string" && value !== "" ? value : refuse(`${key} is missing or not a text`);
}

export function optionalTextAt(from: JsonObject | undefined, key: string): string | undefined {
  const value = from?.[key];
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * A whole number. ProtoJSON leaves a zero out unless told otherwise.
 *
 * @throws NotAnEvent
 */
export function countAt(from: JsonObject, key: string): number {
  const value = from[key] ?? 0;
  return Number.isSafeInteger(value) ? Number(value) : refuse(`${key} is not a whole number`);
}

/**
 * An RFC 3339 time in epoch milliseconds, where there is one.
 *
 * @throws NotAnEvent
 */
export function timeAt(from: JsonObject, key: string): number | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  const timeMs = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(timeMs) ? refuse(`${key} is not a time`) : timeMs;
}

/**
 * One name out of a list.
 *
 * @throws NotAnEvent
 */
export function nameAt(from: JsonObject, key: string, names: ReadonlySet<string>): string {
  const value = textAt(from, key);
  return names.has(value) ? value : refuse(`the ${key} ${value.slice(0, DIGEST_LIMIT)} is unknown`);
}

/** Texts by key; what is no text counts as empty. */
export function textsAt(from: JsonObject, key: string): Record<string, string> {
  const texts = from[key];
  if (!isObject(texts)) return {};
  return Object.fromEntries(
    Object.entries(texts).map(([name, value]) => [name, typeof value === "string" ? value : ""]),
  );
}
