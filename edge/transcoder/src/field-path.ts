import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { didYouMean } from "./did-you-mean.ts";

/** A way through messages to one field. */
export interface FieldPath {
  /** All but the last are singular messages. */
  readonly fields: readonly DescField[];
  readonly last: DescField;
  /** The names in ProtoJSON, joined by dots. */
  readonly jsonPath: string;
}

/** Types of `google.protobuf` whose ProtoJSON form is one string, number or boolean. */
const SCALAR_WELL_KNOWN_TYPES: ReadonlySet<string> = new Set([
  "google.protobuf.Timestamp",
  "google.protobuf.Duration",
  "google.protobuf.FieldMask",
  "google.protobuf.DoubleValue",
  "google.protobuf.FloatValue",
  "google.protobuf.Int64Value",
  "google.protobuf.UInt64Value",
  "google.protobuf.Int32Value",
  "google.protobuf.UInt32Value",
  "google.protobuf.BoolValue",
  "google.protobuf.StringValue",
  "google.protobuf.BytesValue",
]);

const JSON_WELL_KNOWN_TYPES: ReadonlySet<string> = new Set([
  "google.protobuf.Struct",
  "google.protobuf.Value",
  "google.protobuf.ListValue",
  "google.protobuf.Any",
]);

export const HTTP_BODY_TYPE = "google.api.HttpBody";
export const FIELD_MASK_TYPE = "google.protobuf.FieldMask";

/** Is this message one string, number or boolean in ProtoJSON? */
export function isScalarWellKnownType(desc: DescMessage): boolean {
  return SCALAR_WELL_KNOWN_TYPES.has(desc.typeName);
}

/** Does this message have fields in ProtoJSON under their own names? */
export function isOrdinaryMessage(desc: DescMessage): boolean {
  return !SCALAR_WELL_KNOWN_TYPES.has(desc.typeName) && !JSON_WELL_KNOWN_TYPES.has(desc.typeName);
}

const nameTables = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The fields of a message by JSON name and by proto name, as ProtoJSON accepts both. */
export function fieldsByName(desc: DescMessage): ReadonlyMap<string, DescField> {
  let table = nameTables.get(desc);
  if (table === undefined) {
    const names = new Map<string, DescField>();
    for (const field of desc.fields) names.set(field.name, field);
    for (const field of desc.fields) names.set(field.jsonName, field);
    table = names;
    nameTables.set(desc, table);
  }
  return table;
}

/**
 * Follows dotted names from a message to a field.
 *
 * @param names - proto names, or JSON names as well with `accept: "both"`
 * @returns the path, or why there is none
 */
export function resolveFieldPath(
  desc: DescMessage,
  names: readonly string[],
  accept: "proto" | "both",
): FieldPath | { readonly fault: string } {
  const fields: DescField[] = [];
  let parent: DescMessage | undefined = desc;
  for (const name of names) {
    const before = fields.at(-1);
    if (parent === undefined) return { fault: `${before?.jsonName ?? ""} has no fields of its own` };
    const field: DescField | undefined = fieldsByName(parent).get(name);
    if (field === undefined || (accept === "proto" && field.name !== name)) {
      const hint = accept === "both" ? didYouMean(name, parent.fields) : "";
      return { fault: `there is no field ${name} in ${parent.typeName}${hint}` };
    }
    fields.push(field);
    parent = field.fieldKind === "message" && isOrdinaryMessage(field.message) ? field.message : undefined;
  }
  const last = fields.at(-1);
  if (last === undefined) return { fault: "the name is empty" };
  return { fields, last, jsonPath: fields.map((field) => field.jsonName).join(".") };
}
