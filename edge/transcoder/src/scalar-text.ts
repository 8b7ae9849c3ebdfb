import { type DescEnum, ScalarType } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { isJsonNumber, toInteger, withoutTrailing } from "./decimal.ts";
import { didYouMean } from "./did-you-mean.ts";

/** A value, or why the text is none. */
export type Read<T> = { readonly value: T } | { readonly fault: string };

type ScalarValue = string | number | bigint | boolean | Uint8Array;

interface Range {
  readonly min: bigint;
  readonly max: bigint;
  readonly name: string;
}

const INT32: Range = { min: -(2n ** 31n), max: 2n ** 31n - 1n, name: "a 32-bit integer" };
const UINT32: Range = { min: 0n, max: 2n ** 32n - 1n, name: "an unsigned 32-bit integer" };
const INT64: Range = { min: -(2n ** 63n), max: 2n ** 63n - 1n, name: "a 64-bit integer" };
const UINT64: Range = { min: 0n, max: 2n ** 64n - 1n, name: "an unsigned 64-bit integer" };

/** The integers of a scalar type; undefined for a type that is no integer. */
export function rangeOf(type: ScalarType): Range | undefined {
  switch (type) {
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return INT32;
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return UINT32;
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return INT64;
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return UINT64;
    default:
      return undefined;
  }
}

/**
 * Reads a scalar from text, strictly: what ProtoJSON allows in a string, and a boolean by its name.
 *
 * @returns integers of 64 bits as bigint, bytes as Uint8Array
 */
export function readScalarText(type: ScalarType, text: string): Read<ScalarValue> {
  switch (type) {
    case ScalarType.STRING:
      return { value: text };
    case ScalarType.BOOL:
      if (text === "true" || text === "false") return { value: text === "true" };
      return { fault: "expected true or false" };
    case ScalarType.BYTES:
      return readBase64(text);
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return readFloat(type, text);
    default:
      return readInteger(type, text);
  }
}

function readInteger(type: ScalarType, text: string): Read<number | bigint> {
  const range = rangeOf(type) ?? INT64;
  const value = toInteger(text);
  if (value === undefined || value < range.min || value > range.max)
    return { fault: `expected ${range.name}` };
  return { value: range === INT64 || range === UINT64 ? value : Number(value) };
}

const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

function readFloat(type: ScalarType, text: string): Read<number> {
  if (Object.hasOwn(NOT_FINITE, text)) return { value: NOT_FINITE[text] ?? Number.NaN };
  if (!isJsonNumber(text)) return { fault: "expected a number" };
  const value = Number(text);
  const fault = floatFault(type, value);
  return fault === undefined ? { value } : { fault };
}

/** Why a number does not fit a float or double; undefined when it does. */
export function floatFault(type: ScalarType, value: number): string | undefined {
  const kept = type === ScalarType.FLOAT ? Math.fround(value) : value;
  if (Number.isFinite(kept)) return undefined;
  return `expected a number within the range of ${type === ScalarType.FLOAT ? "a float" : "a double"}`;
}

const BASE64 = /^(?:[A-Za-z0-9+/]*|[A-Za-z0-9\-_]*)={0,2}$/;

/** Reads base64 in either alphabet, padded or not. */
export function readBase64(text: string): Read<Uint8Array> {
  const bare = withoutTrailing(text, "=");
  const padded = text.length !== bare.length;
  const wrongLength = bare.length % 4 === 1 || (padded && text.length % 4 !== 0);
  if (wrongLength || !BASE64.test(text)) return { fault: "expected base64" };
  return { value: base64Decode(bare) };
}

/** Reads an enum value from its name or its number; an open enum keeps a number it does not know. */
export function readEnumText(desc: DescEnum, text: string): Read<number> {
  for (const value of desc.values)
    if (value.name === text || value.jsonName === text) return { value: value.number };
  const number = toInteger(text);
  if (number === undefined)
    return { fault: `${desc.typeName} has no such value${didYouMean(text, desc.values)}` };
  return readEnumNumber(desc, Number(number));
}

/** Checks an enum value given by number. */
export function readEnumNumber(desc: DescEnum, number: number): Read<number> {
  const fits = Number.isInteger(number) && number >= INT32.min && number <= INT32.max;
  if (!fits) return { fault: `expected a value of ${desc.typeName}` };
  if (desc.open || desc.values.some((value) => value.number === number)) return { value: number };
  return { fault: `${desc.typeName} has no such value` };
}
