import { ScalarType } from "@bufbuild/protobuf";
import type { Schema } from "./schema.ts";

/** The well-known types that the contracts use, in their ProtoJSON form. */
export const WELL_KNOWN: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ["google.protobuf.Timestamp", { type: "string", format: "date-time" }],
  // A duration is seconds with a unit; ProtoJSON has no other.
  ["google.protobuf.Duration", { type: "string", pattern: "^-?[0-9]{1,12}(\\.[0-9]{1,9})?s$" }],
  ["google.protobuf.FieldMask", { type: "string", pattern: "^([A-Za-z0-9_.]+(,[A-Za-z0-9_.]+)*)?$" }],
  ["google.protobuf.Struct", { type: "object" }],
  ["google.protobuf.ListValue", { type: "array" }],
  ["google.protobuf.Value", { description: "Any JSON value." }],
  ["google.protobuf.Empty", { type: "object" }],
  [
    "google.protobuf.Any",
    { type: "object", properties: { "@type": { type: "string" } }, required: ["@type"] },
  ],
]);

const INT32 = { type: "integer", format: "int32", minimum: -2_147_483_648, maximum: 2_147_483_647 };
const UINT32 = { type: "integer", format: "int64", minimum: 0, maximum: 4_294_967_295 };
/** 64 bits are a string: JavaScript would round them. */
const INT64 = { type: "string", format: "int64", pattern: "^-?[0-9]{1,20}$" };

/** A scalar in its ProtoJSON form. */
export function scalarSchema(type: ScalarType): Schema {
  switch (type) {
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: "number", format: "double" };
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
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return INT64;
  }
}
