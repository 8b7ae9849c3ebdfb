import {
  create,
  createFileRegistry,
  type DescFile,
  type DescMessage,
  type DescService,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  file_google_protobuf_struct,
  MessageOptionsSchema,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import {
  FieldRulesSchema,
  field as fieldRules,
  file_buf_validate_validate,
  Ignore,
  Int32RulesSchema,
  MessageRulesSchema,
  message as messageRules,
  RepeatedRulesSchema,
} from "@orrery/contracts/gen/buf/validate/validate_pb.js";
import {
  file_orrery_options_v1_options,
  type MethodRulesSchema,
  method as methodRules,
} from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";

// A contract of its own for the tests of the transport, built as descriptors: one RPC of each kind, and some
// with another policy. The chassis serves any service, so no real one is borrowed.

type Rules = MessageInitShape<typeof MethodRulesSchema>;

const { STRING, INT32, MESSAGE } = FieldDescriptorProto_Type;
const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;

const itemCount = create(FieldOptionsSchema);
const zeroToHundred = create(Int32RulesSchema, {
  greaterThan: { case: "gte", value: 0 },
  lessThan: { case: "lte", value: 100 },
});
setExtension(
  itemCount,
  fieldRules,
  create(FieldRulesSchema, { type: { case: "int32", value: zeroToHundred } }),
);

// Fields that a handler holds against their rules one by one.
const judgedApart = create(FieldOptionsSchema);
setExtension(judgedApart, fieldRules, create(FieldRulesSchema, { ignore: Ignore.ALWAYS }));
const eachJudgedApart = create(FieldOptionsSchema);
const ignoredItems = create(RepeatedRulesSchema, {
  items: create(FieldRulesSchema, { ignore: Ignore.ALWAYS }),
});
setExtension(
  eachJudgedApart,
  fieldRules,
  create(FieldRulesSchema, { type: { case: "repeated", value: ignoredItems } }),
);

// A rule over a whole message, which has no field of its own.
const countsWords = create(MessageOptionsSchema);
setExtension(
  countsWords,
  messageRules,
  create(MessageRulesSchema, {
    cel: [
      {
        id: "nothing_to_count",
        message: "maxCount has nothing to count where word is none",
        expression: "this.word != 'none' || this.max_count == 0",
      },
    ],
  }),
);

const item = create(DescriptorProtoSchema, {
  name: "Item",
  options: countsWords,
  field: [
    { name: "word", number: 1, type: STRING, label: OPTIONAL, jsonName: "word" },
    { name: "max_count", number: 2, type: INT32, label: OPTIONAL, jsonName: "maxCount", options: itemCount },
  ],
});

const note = create(DescriptorProtoSchema, {
  name: "Note",
  field: [
    { name: "text", number: 1, type: STRING, label: OPTIONAL, jsonName: "text" },
    {
      name: "items",
      number: 2,
      type: MESSAGE,
      typeName: ".orrery.echo.v1.Item",
      label: REPEATED,
      jsonName: "items",
    },
    {
      name: "labels",
      number: 3,
      type: MESSAGE,
      typeName: ".orrery.echo.v1.Note.LabelsEntry",
      label: REPEATED,
      jsonName: "labels",
    },
    {
      name: "free",
      number: 4,
      type: MESSAGE,
      typeName: ".google.protobuf.Value",
      label: OPTIONAL,
      jsonName: "free",
    },
    {
      name: "apart",
      number: 5,
      type: MESSAGE,
      typeName: ".orrery.echo.v1.Item",
      label: OPTIONAL,
      jsonName: "apart",
      options: judgedApart,
    },
    {
      name: "each_apart",
      number: 6,
      type: MESSAGE,
      typeName: ".orrery.echo.v1.Item",
      label: REPEATED,
      jsonName: "eachApart",
      options: eachJudgedApart,
    },
  ],
  nestedType: [
    {
      name: "LabelsEntry",
      field: [
        { name: "key", number: 1, type: STRING, label: OPTIONAL, jsonName: "key" },
        { name: "value", number: 2, type: STRING, label: OPTIONAL, jsonName: "value" },
      ],
      options: { mapEntry: true },
    },
  ],
});

const seconds = (count: number): Rules["deadline"] => ({ seconds: BigInt(count), nanos: 0 });
const BASE: Rules = { exposure: 1, repeat: 1, callers: ["gateway", "worker"], onBehalf: ["gateway"] };

function rpc(name: string, kind: { in?: true; out?: true }, rules: Rules): object {
  const options = create(MethodOptionsSchema);
  setExtension(options, methodRules, rules as never);
  return {
    name,
    inputType: ".orrery.echo.v1.Note",
    outputType: ".orrery.echo.v1.Note",
    clientStreaming: kind.in ?? false,
    serverStreaming: kind.out ?? false,
    options,
  };
}

const file = create(FileDescriptorProtoSchema, {
  name: "orrery/echo/v1/echo_service.proto",
  package: "orrery.echo.v1",
  syntax: "proto3",
  dependency: [
    "google/protobuf/struct.proto",
    "orrery/options/v1/options.proto",
    "buf/validate/validate.proto",
  ],
  messageType: [item, note],
  service: [
    {
      name: "EchoService",
      method: [
        rpc("Echo", {}, { ...BASE, deadline: seconds(2) }),
        rpc("Read", {}, { ...BASE, deadline: seconds(2), retry: 1 }),
        rpc("Join", { in: true }, { ...BASE, deadline: seconds(20) }),
        rpc("Count", { out: true }, BASE),
        rpc("Chat", { in: true, out: true }, BASE),
        rpc("Reserved", {}, { ...BASE, callers: ["operator"], onBehalf: [] }),
      ],
    },
    {
      name: "OpenService",
      method: [{ name: "Anyone", inputType: ".orrery.echo.v1.Note", outputType: ".orrery.echo.v1.Note" }],
    },
  ],
});

const known = [file_orrery_options_v1_options, file_buf_validate_validate, file_google_protobuf_struct];
const registry = createFileRegistry(file, (name) => find(known, name));

function find(files: readonly DescFile[], name: string): DescFile | undefined {
  for (const candidate of files) {
    const found = candidate.proto.name === name ? candidate : find(candidate.dependencies, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function serviceNamed(name: string): DescService {
  const service = registry.getService(name);
  if (service === undefined) throw new Error(`no ${name} in the test contract`);
  return service;
}

function messageNamed(name: string): DescMessage {
  const message = registry.getMessage(name);
  if (message === undefined) throw new Error(`no ${name} in the test contract`);
  return message;
}

export const EchoService = serviceNamed("orrery.echo.v1.EchoService");
export const OpenService = serviceNamed("orrery.echo.v1.OpenService");
export const ItemSchema = messageNamed("orrery.echo.v1.Item");
export const NoteSchema = messageNamed("orrery.echo.v1.Note");

/** A note as the tests read it. */
export interface Note {
  text: string;
  items: { word: string; maxCount: number }[];
  labels: Record<string, string>;
}
