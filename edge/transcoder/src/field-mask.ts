import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Assignment } from "./assignment.ts";
import { FIELD_MASK_TYPE, fieldsByName, isOrdinaryMessage } from "./field-path.ts";
import type { JsonTree } from "./json-tree.ts";
import type { Route } from "./route.ts";

/**
 * The update mask that a PATCH implies (AIP-134): the fields that its body gives.
 *
 * Only where the body is a message field and the request has exactly one other field that is a mask; a mask
 * that the URL gives is kept as it is. Lists, maps and messages with a JSON form of their own are one path
 * each, and so is a message that is given empty or as null.
 */
export function impliedMask(
  route: Route,
  body: JsonTree,
  given: readonly Assignment[],
): Assignment | undefined {
  const { bodyTarget, httpMethod, method } = route;
  if (httpMethod !== "PATCH" || bodyTarget.kind !== "field" || bodyTarget.field.fieldKind !== "message") {
    return undefined;
  }
  const masks = method.input.fields.filter((field) => field.message?.typeName === FIELD_MASK_TYPE);
  const [mask] = masks;
  if (mask?.fieldKind !== "message" || masks.length > 1 || mask === bodyTarget.field) return undefined;
  if (given.some(({ path }) => path.fields[0] === mask)) return undefined;
  const paths = pathsOf(bodyTarget.field.message, body);
  if (paths.length === 0) return undefined;
  const value = reflect(mask.message);
  const [pathsField] = mask.message.fields;
  if (pathsField?.fieldKind !== "list") return undefined;
  for (const path of paths) value.get(pathsField).add(path);
  return { path: { fields: [mask], last: mask, jsonPath: mask.jsonName }, value };
}

/** Paths in proto names, as a FieldMask has them. */
function pathsOf(desc: DescMessage, json: JsonTree | undefined): readonly string[] {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return [];
  const names = fieldsByName(desc);
  return Object.entries(json).flatMap(([key, value]) => {
    const field = names.get(key);
    if (field === undefined) return [];
    const below = nestedDesc(field);
    const nested = below === undefined ? [] : pathsOf(below, value);
    return nested.length === 0 ? [field.name] : nested.map((path) => `${field.name}.${path}`);
  });
}

function nestedDesc(field: DescField): DescMessage | undefined {
  return field.fieldKind === "message" && isOrdinaryMessage(field.message) ? field.message : undefined;
}
