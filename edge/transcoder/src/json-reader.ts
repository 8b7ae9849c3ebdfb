import { isJsonNumber, survivesRoundTrip } from "./decimal.ts";
import { findDuplicateKey, findIllFormedString } from "./json-search.ts";
import { endOfString, InexactNumber, type JsonTree } from "./json-tree.ts";
import type { TranscoderLimits } from "./limits.ts";

export interface ReadJson {
  readonly value: JsonTree;
  /** There is an {@link InexactNumber} somewhere in the value. */
  readonly inexact: boolean;
}

/** A text that is no JSON, or JSON past a limit. `path` leads to the culprit where it has one. */
export class JsonFault extends Error {
  readonly path: string;

  constructor(reason: string, path = "") {
    super(reason);
    this.path = path;
  }
}

/**
 * Parses JSON text (RFC 8259) without losing anything: a key that occurs twice and a string that is not
 * Unicode are refused, and numbers that JavaScript would change keep their digits.
 *
 * JSON.parse does the work. One quick pass before it counts what the limits concern and notices what
 * JSON.parse would hide; only where it noticed something is the text searched again.
 *
 * @throws JsonFault
 */
export function readJson(
  text: string,
  limits: Pick<TranscoderLimits, "jsonDepth" | "jsonKeys" | "jsonValues">,
): ReadJson {
  const seen = survey(text);
  if (seen.depth > limits.jsonDepth) throw new JsonFault(`more than ${limits.jsonDepth} levels of JSON`);
  if (seen.colons > limits.jsonKeys) throw new JsonFault(`more than ${limits.jsonKeys} keys in the JSON`);
  if (seen.values > limits.jsonValues) {
    throw new JsonFault(`more than ${limits.jsonValues} values in the JSON`);
  }
  const parsed = parse(text, seen.inexact);
  if (seen.colons > countKeys(parsed.value)) {
    throw new JsonFault("the key occurs twice in its object", findDuplicateKey(text));
  }
  if (seen.surrogate) {
    const path = findIllFormedString(parsed.value);
    if (path !== undefined) throw new JsonFault("the text holds half a surrogate pair", path);
  }
  return parsed;
}

interface Survey {
  readonly depth: number;
  /** Colons outside strings: as many as there are keys, if the text is JSON. */
  readonly colons: number;
  /** Commas and opening brackets outside strings: as many as there are values, or a few more. */
  readonly values: number;
  /** There is a number that JavaScript would change. */
  readonly inexact: boolean;
  readonly surrogate: boolean;
}

const SURROGATE_ESCAPE = /\\u[dD][89a-fA-F]/;
/** Every decimal of so many digits and without an exponent survives a round trip through a double. */
const SAFE_DIGITS = 15;

function survey(text: string): Survey {
  let depth = 0;
  let deepest = 0;
  let colons = 0;
  let values = 0;
  let inexact = false;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // "
        at = endOfString(text, at);
        break;
      case 0x7b: // {
      case 0x5b: // [
        depth += 1;
        values += 1;
        if (depth > deepest) deepest = depth;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        depth -= 1;
        break;
      case 0x3a: // :
        colons += 1;
        break;
      case 0x2c: // ,
        values += 1;
        break;
      default: {
        const end = endOfNumber(text, at);
        if (end === at) break;
        if (!inexact) inexact = isInexact(text, at, end);
        at = end - 1;
      }
    }
  }
  return {
    depth: deepest,
    colons,
    values,
    inexact,
    surrogate: text.includes("\\u") && SURROGATE_ESCAPE.test(text),
  };
}

function isInexact(text: string, start: number, end: number): boolean {
  const number = text.slice(start, end);
  if (end - start <= SAFE_DIGITS && !/[eE]/.test(number)) return false;
  return isJsonNumber(number) && !survivesRoundTrip(number, Number(number));
}

function endOfNumber(text: string, start: number): number {
  let end = start;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    const digit = code >= 0x30 && code <= 0x39;
    const sign = code === 0x2d || code === 0x2b || code === 0x2e;
    const exponent = (code === 0x65 || code === 0x45) && end > start;
    if (!digit && !sign && !exponent) break;
  }
  return end;
}

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

function parse(text: string, inexact: boolean): ReadJson {
  const reviver: Reviver = (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined || survivesRoundTrip(source, value)) return value;
    return new InexactNumber(source, value);
  };
  try {
    const value = JSON.parse(
      text,
      inexact ? (reviver as (key: string, value: unknown) => unknown) : undefined,
    );
    return { value, inexact };
  } catch (error) {
    const position = error instanceof Error ? /at position \d+/.exec(error.message)?.[0] : undefined;
    throw new JsonFault(`the body is not valid JSON${position === undefined ? "" : ` ${position}`}`);
  }
}

function countKeys(value: JsonTree): number {
  if (typeof value !== "object" || value === null || value instanceof InexactNumber) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) count += countKeys(item);
    return count;
  }
  for (const key of Object.keys(value)) count += 1 + countKeys(value[key] ?? null);
  return count;
}
