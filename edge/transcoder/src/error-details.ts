import {
  create,
  createFileRegistry,
  type DescMessage,
  fromBinary,
  type Registry,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { base64Encode } from "@bufbuild/protobuf/wire";
import {
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  file_google_protobuf_duration,
} from "@bufbuild/protobuf/wkt";
import type { ConnectError } from "@connectrpc/connect";

/**
 * The details of `google/rpc/error_details.proto` that a problem document shows. They are described here,
 * because the registry of the caller need not hold them.
 */
const { STRING, MESSAGE } = FieldDescriptorProto_Type;
const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;

type FieldInit = Partial<Omit<FieldDescriptorProto, "$typeName" | "$unknown" | "options">>;
const text = (number: number, name: string): FieldInit => ({
  ...{ number, name, jsonName: name },
  ...{ type: STRING, label: OPTIONAL },
});

const detailTypes = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: "transcoder/error_details.proto",
    package: "google.rpc",
    syntax: "proto3",
    dependency: ["google/protobuf/duration.proto"],
    messageType: [
      {
        name: "BadRequest",
        field: [
          {
            ...{ number: 1, name: "field_violations", jsonName: "fieldViolations" },
            ...{ type: MESSAGE, label: REPEATED, typeName: ".google.rpc.BadRequest.FieldViolation" },
          },
        ],
        nestedType: [{ name: "FieldViolation", field: [text(1, "field"), text(2, "description")] }],
      },
      {
        name: "ErrorInfo",
        field: [
          text(1, "reason"),
          text(2, "domain"),
          {
            ...{ number: 3, name: "metadata", jsonName: "metadata" },
            ...{ type: MESSAGE, label: REPEATED, typeName: ".google.rpc.ErrorInfo.MetadataEntry" },
          },
        ],
        nestedType: [
          { name: "MetadataEntry", field: [text(1, "key"), text(2, "value")], options: { mapEntry: true } },
        ],
      },
      {
        name: "RetryInfo",
        field: [
          {
            ...{ number: 1, name: "retry_delay", jsonName: "retryDelay" },
            ...{ type: MESSAGE, label: OPTIONAL, typeName: ".google.protobuf.Duration" },
          },
        ],
      },
    ],
  }),
  () => file_google_protobuf_duration,
);

function detailType(name: "BadRequest" | "ErrorInfo" | "RetryInfo"): DescMessage {
  const desc = detailTypes.getMessage(`google.rpc.${name}`);
  if (desc === undefined) throw new Error(`google.rpc.${name} is not described`);
  return desc;
}

const BAD_REQUEST = detailType("BadRequest");
const ERROR_INFO = detailType("ErrorInfo");

type Detail = ConnectError["details"][number];

/** One field that could not be bound. */
export interface FieldViolation {
  /** Path from the request message in ProtoJSON names, as `jobs[3].maxAttempts` or `labels["x"]`. */
  readonly field: string;
  readonly description: string;
}

/** `google.rpc.BadRequest`, serialized, so that every reader decodes it with its own descriptor. */
export function badRequestDetail(violations: readonly FieldViolation[]): Detail {
  const value = toBinary(
    BAD_REQUEST,
    create(BAD_REQUEST, { fieldViolations: [...violations] } as Record<string, unknown>),
  );
  return { type: BAD_REQUEST.typeName, value };
}

/** `google.rpc.ErrorInfo`, serialized. */
export function errorInfoDetail(reason: string, domain: string): Detail {
  return {
    type: ERROR_INFO.typeName,
    value: toBinary(ERROR_INFO, create(ERROR_INFO, { reason, domain } as Record<string, unknown>)),
  };
}

/** A detail in the ProtoJSON form of `google.protobuf.Any`. */
export type DetailJson = { readonly "@type": string } & Readonly<Record<string, unknown>>;

/**
 * Renders the details of an error, in order.
 *
 * One whose type is in no registry, or whose bytes are not of its type, keeps its `@type` and shows its bytes
 * in base64 as `value`.
 */
export function detailsToJson(error: ConnectError, registry: Registry): readonly DetailJson[] {
  return error.details.map((detail) => detailToJson(detail, registry));
}

function detailToJson(detail: Detail, registry: Registry): DetailJson {
  const options = { registry, alwaysEmitImplicit: true };
  const name = "desc" in detail ? detail.desc.typeName : detail.type;
  const typed = { "@type": `type.googleapis.com/${name}` };
  try {
    if ("desc" in detail) {
      return withType(typed, toJson(detail.desc, create(detail.desc, detail.value), options));
    }
    const desc = registry.getMessage(name) ?? detailTypes.getMessage(name);
    if (desc !== undefined) return withType(typed, toJson(desc, fromBinary(desc, detail.value), options));
  } catch {
    // Falls through to the bytes: a detail that cannot be read must not replace the error that carries it.
  }
  return "desc" in detail ? typed : { ...typed, value: base64Encode(detail.value) };
}

/** Messages with a JSON form of their own sit under `value`, as in an Any. */
function withType(typed: { "@type": string }, json: unknown): DetailJson {
  const object = typeof json === "object" && json !== null && !Array.isArray(json);
  return object ? { ...typed, ...json } : { ...typed, value: json };
}
