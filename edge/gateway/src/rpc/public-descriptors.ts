import {
  clone,
  type DescEnum,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import {
  type DescriptorProto,
  type EnumDescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";
import { withImports } from "@orrery/mesh/transport/descriptor-files";
import { nameOf } from "../dispatch/edge-methods.ts";

/** The number of our options in `google.protobuf.*Options`: see proto/orrery/options/v1/options.proto. */
const OWN_OPTION = 51_001;

/**
 * The descriptors of services and of all that they import, as the outside may see them: without the RPCs that
 * are internal, without our options, which say who calls whom inside, and without the messages that serve
 * only these.
 */
export function publicDescriptors(methods: readonly DescMethod[]): readonly Uint8Array[] {
  const open: ReadonlySet<string> = new Set(methods.map(nameOf));
  const used = typesOf(methods);
  const files = withImports(methods.map((method) => method.parent.file)).map((file) =>
    publicFile(file, { open, used }),
  );
  const empty = new Set(files.filter(isEmpty).map(({ name }) => name));
  for (const file of files) file.dependency = file.dependency.filter((name) => !empty.has(name));
  return files
    .filter(({ name }) => !empty.has(name))
    .map((file) => toBinary(FileDescriptorProtoSchema, file));
}

interface Public {
  /** The RPCs that may be seen, as `package.Service/Method`. */
  readonly open: ReadonlySet<string>;
  /** The full names of the messages and enums that these RPCs use. */
  readonly used: ReadonlySet<string>;
}

/** The full names of all messages and enums that a caller can send or be answered with. */
function typesOf(methods: readonly DescMethod[]): ReadonlySet<string> {
  const types = new Set<string>();
  const add = (type: DescMessage | DescEnum | undefined): void => {
    if (type === undefined || types.has(type.typeName)) return;
    types.add(type.typeName);
    if (type.kind === "message") for (const { message, enum: named } of type.fields) add(message ?? named);
  };
  for (const { input, output } of methods) {
    add(input);
    add(output);
  }
  return types;
}

function publicFile(file: DescFile, { open, used }: Public): FileDescriptorProto {
  const proto = clone(FileDescriptorProtoSchema, file.proto);
  if (!declaresOwn(file)) return proto;
  withoutOwnOptions(proto);
  for (const service of proto.service) {
    service.method = service.method.filter(({ name }) =>
      open.has(`${proto.package}.${service.name}/${name}`),
    );
    withoutOwnOptions(service);
    for (const method of service.method) withoutOwnOptions(method);
  }
  proto.extension = proto.extension.filter(({ number }) => number !== OWN_OPTION);
  proto.messageType = publicMessages(proto.messageType, proto.package, used);
  proto.enumType = publicEnums(proto.enumType, proto.package, used);
  return proto;
}

/** A file of ours: it, or what it imports, declares our options. Those of others pass whole. */
function declaresOwn(file: DescFile): boolean {
  return (
    file.proto.extension.some(({ number }) => number === OWN_OPTION) || file.dependencies.some(declaresOwn)
  );
}

/** Those that are used, or hold one that is; the entries of a map go with the message that has it. */
function publicMessages(
  messages: readonly DescriptorProto[],
  parent: string,
  used: ReadonlySet<string>,
): DescriptorProto[] {
  return messages.filter((message) => {
    const name = `${parent}.${message.name}`;
    withoutOwnOptions(message);
    for (const each of [...message.field, ...message.oneofDecl]) withoutOwnOptions(each);
    message.nestedType = publicMessages(message.nestedType, name, used);
    message.enumType = publicEnums(message.enumType, name, used);
    const needed = used.has(name) || (message.options?.mapEntry === true && used.has(parent));
    return needed || message.nestedType.length > 0 || message.enumType.length > 0;
  });
}

function publicEnums(
  enums: readonly EnumDescriptorProto[],
  parent: string,
  used: ReadonlySet<string>,
): EnumDescriptorProto[] {
  return enums.filter((each) => {
    withoutOwnOptions(each);
    for (const value of each.value) withoutOwnOptions(value);
    return used.has(`${parent}.${each.name}`);
  });
}

function isEmpty({ service, messageType, enumType, extension }: FileDescriptorProto): boolean {
  return service.length + messageType.length + enumType.length + extension.length === 0;
}

function withoutOwnOptions({ options }: { options?: Message | undefined }): void {
  if (options?.$unknown === undefined) return;
  options.$unknown = options.$unknown.filter(({ no }) => no !== OWN_OPTION);
}
