import { createHash } from "node:crypto";
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { Fault } from "@orrery/mesh/fault/fault";

/** How large an input or output may be, in bytes of JSON. */
export const VALUE_LIMIT_BYTES = 192 * 1024;
/** How large the input of a mission's job may be: what undoes a step is told its input, its output and its key. */
export const STEP_INPUT_LIMIT_BYTES = 2 * VALUE_LIMIT_BYTES + 1024;
/**
 * How many lists and objects may be inside each other: what is deeper fits into no message that carries it.
 */
const VALUE_LIMIT_LEVELS = 32;

/**
 * The JSON of an input or output, as it is stored.
 *
 * @param field - where the value stands in the request, for the refusal
 * @param limitBytes - how large it may be, in bytes of JSON; 192 KiB unless said
 * @throws Fault `BODY_TOO_LARGE` over the limit · `INVALID_REQUEST` for a number that JSON does not have, and
 *   beyond 32 levels
 */
export function jsonText(
  value: Value | undefined,
  field: string,
  limitBytes = VALUE_LIMIT_BYTES,
): string | undefined {
  if (value === undefined) return undefined;
  const json = jsonOf(value, field);
  if (!fits(json, VALUE_LIMIT_LEVELS)) {
    const description = `is deeper than ${VALUE_LIMIT_LEVELS} levels`;
    throw new Fault("INVALID_REQUEST", {
      detail: `${field} ${description}`,
      fieldViolations: [{ field, description }],
    });
  }
  const text = JSON.stringify(json);
  const bytes = Buffer.byteLength(text);
  if (bytes <= limitBytes) return text;
  const description = `is ${bytes} bytes of JSON; at most ${limitBytes} (${limitBytes / 1024} KiB) are taken`;
  throw new Fault("BODY_TOO_LARGE", {
    detail: `${field} ${description}`,
    fieldViolations: [{ field, description }],
  });
}

function jsonOf(value: Value, field: string): JsonValue {
  if (value.kind.case === undefined) return null;
  try {
    return toJson(ValueSchema, value);
  } catch (failure) {
    const fieldViolations = [{ field, description: "holds a number that JSON does not have" }];
    throw new Fault(
      "INVALID_REQUEST",
      { detail: `${field} is not JSON`, fieldViolations },
      { cause: failure },
    );
  }
}

function fits(json: JsonValue, levels: number): boolean {
  if (json === null || typeof json !== "object") return true;
  return levels > 0 && Object.values(json).every((inside: JsonValue) => fits(inside, levels - 1));
}

/** The message of stored JSON. */
export const valueFrom = (text: string): Value => fromJson(ValueSchema, JSON.parse(text) as JsonValue);

/**
 * SHA-256 over JSON with its keys in order, in hex: the same for the same content, however it was written.
 */
export const fingerprint = (json: JsonValue): string =>
  createHash("sha256")
    .update(JSON.stringify(ordered(json)))
    .digest("hex");

function ordered(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(ordered);
  if (json === null || typeof json !== "object") return json;
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  // Null prototype: a key such as __proto__ stays a key.
  const result: { [key: string]: JsonValue } = Object.create(null) as { [key: string]: JsonValue };
  for (const [key, value] of entries) result[key] = ordered(value);
  return result;
}
