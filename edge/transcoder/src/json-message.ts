import type { DescMessage, JsonValue, Registry } from "@bufbuild/protobuf";
import { bindingFault, malformed } from "./fault.ts";
import { JsonFault, type ReadJson, readJson } from "./json-reader.ts";
import { JsonWalk } from "./json-walk.ts";
import { DEFAULT_LIMITS, type TranscoderLimits } from "./limits.ts";
import { decodeUtf8 } from "./request-body.ts";

type JsonLimits = Pick<TranscoderLimits, "jsonDepth" | "jsonKeys" | "jsonValues">;

/**
 * Parses JSON as `readJson` does.
 *
 * @param prefix - the path that leads to the JSON, with its dot
 * @throws ConnectError 400
 */
export function parseJson(text: string, limits: JsonLimits, prefix = ""): ReadJson {
  try {
    return readJson(text, limits);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    if (error.path === "") throw malformed(error.message);
    throw bindingFault([{ field: prefix + error.path, description: error.message }]);
  }
}

/**
 * The JSON of a whole message for a parser that knows no more than JSON.parse does, such as that of Connect. Nothing is
 * rounded or left out on that way which the body of a REST request may not lose: such JSON is refused, as there.
 *
 * @returns the text as it came, unless it holds numbers that have to be written otherwise for JSON.parse to keep them
 * @throws ConnectError 400 with the path of each field at fault
 */
export function exactJson(
  desc: DescMessage,
  bytes: Uint8Array,
  { registry, limits }: { readonly registry: Registry; readonly limits?: Partial<JsonLimits> },
): string {
  const text = decodeUtf8(bytes);
  const { value, inexact } = parseJson(text, { ...DEFAULT_LIMITS, ...limits });
  const walk = new JsonWalk(registry, inexact);
  const holder = { message: value as JsonValue };
  walk.message(desc, holder, "message");
  if (walk.violations.length > 0) throw bindingFault(walk.violations);
  return inexact ? JSON.stringify(holder.message) : text;
}
