import {
  type DescEnum,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { FieldBehavior, field_behavior } from "@orrery/contracts/gen/google/api/field_behavior_pb.js";
import { Job_StatusSchema } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";

/** A JSON Schema (2020-12), as OpenAPI 3.1 and AsyncAPI 3 hold it. */
export type Schema = Record<string, unknown>;

/** The schemas of messages and enums in their ProtoJSON form, each defined once and referred to. */
export class SchemaCatalogue {
  readonly #schemas = new Map<string, Schema>();

  /** Definitions by name, for `components.schemas`. */
  get components(): Record<string, Schema> {
    return Object.fromEntries([...this.#schemas].sort(([left], [right]) => left.localeCompare(right)));
  }

  message(desc: DescMessage): Schema {
    const known = WELL_KNOWN[desc.typeName];
    if (known !== undefined) return known;
    return this.#define(nameOf(desc), () => this.object(desc, desc.fields));
  }

  /** An object of these fields of a message, defined in place. */
  object(desc: DescMessage, fields: readonly DescField[]): Schema {
    const required = fields.filter(isRequired).map((field) => field.jsonName);
    return {
      type: "object",
      title: desc.name,
      properties: Object.fromEntries(fields.map((field) => [field.jsonName, this.field(field)])),
      ...(required.length > 0 && { required }),
      additionalProperties: false,
    };
  }

  field(field: DescField): Schema {
    switch (field.fieldKind) {
      case "scalar":
        return scalarSchema(field.scalar);
      case "enum":
        return this.enumeration(field.enum);
      case "message":
        return this.message(field.message);
      case "list":
        return { type: "array", items: this.#value(field) };
      case "map":
        return { type: "object", additionalProperties: this.#value(field) };
    }
  }

  enumeration(desc: DescEnum): Schema {
    const values = desc.values.filter((value) => value.number !== 0).map((value) => value.name);
    return this.#define(enumName(desc), () => ({ type: "string", enum: values }));
  }

  #value(field: DescField & ({ fieldKind: "list" } | { fieldKind: "map" })): Schema {
    const kind = field.fieldKind === "list" ? field.listKind : field.mapKind;
    if (kind === "scalar") return scalarSchema(field.scalar ?? ScalarType.STRING);
    if (kind === "enum") return field.enum === undefined ? {} : this.enumeration(field.enum);
    return field.message === undefined ? {} : this.message(field.message);
  }

  /** The name is taken before the schema is made, so that a message may hold itself. */
  #define(name: string, make: () => Schema): Schema {
    if (!this.#schemas.has(name)) {
      this.#schemas.set(name, {});
      this.#schemas.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

const WELL_KNOWN: Readonly<Record<string, Schema>> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]{1,9})?s$", examples: ["300s"] },
  "google.protobuf.FieldMask": { type: "string", examples: ["concurrency,rate"] },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Value": {},
  "google.protobuf.Empty": { type: "object" },
};

function scalarSchema(type: ScalarType): Schema {
  switch (type) {
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: "number" };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: "integer", format: "int32" };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", minimum: 0 };
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return { type: "string", format: "int64" };
  }
}

function isRequired(field: DescField): boolean {
  return (
    hasOption(field, field_behavior) && getOption(field, field_behavior).includes(FieldBehavior.REQUIRED)
  );
}

/** `jobs.v1.Job` is `Job`; where two packages have a message of one name, the package goes before it. */
function nameOf(desc: DescMessage): string {
  const context = desc.file.proto.package.split(".").at(-2) ?? "";
  const local = desc.typeName.slice(desc.file.proto.package.length + 1).replaceAll(".", "_");
  return context === "jobs" ? local : `${context}_${local}`;
}

function enumName(desc: DescEnum): string {
  // The one enum that other documents name by itself.
  if (desc.typeName === Job_StatusSchema.typeName) return "JobStatus";
  return desc.typeName
    .split(".")
    .filter((part) => /^[A-Z]/.test(part))
    .join("_");
}
