import { clone, type DescFile, type DescMethod, type Message, toBinary } from "@bufbuild/protobuf";
import { type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { withImports } from "@orrery/mesh/transport/descriptor-files";
import { nameOf } from "../dispatch/edge-methods.ts";

/** The number of our options in `google.protobuf.*Options`: see proto/orrery/options/v1/options.proto. */
const OWN_OPTION = 51_001;

/**
 * The descriptors of services and of all that they import, as the outside may see them: without the RPCs that
 * are internal, and without our options, which say who calls whom inside.
 */
export function publicDescriptors(methods: readonly DescMethod[]): readonly Uint8Array[] {
  const open: ReadonlySet<string> = new Set(methods.map(nameOf));
  const files = methods.map((method) => method.parent.file);
  return withImports(files).map((file) => toBinary(FileDescriptorProtoSchema, publicFile(file, open)));
}

function publicFile(file: DescFile, open: ReadonlySet<string>): FileDescriptorProto {
  const proto = clone(FileDescriptorProtoSchema, file.proto);
  for (const service of proto.service) {
    service.method = service.method.filter(({ name }) =>
      open.has(`${proto.package}.${service.name}/${name}`),
    );
    withoutOwnOptions(service);
    for (const method of service.method) withoutOwnOptions(method);
  }
  const messages = [...proto.messageType];
  for (const message of messages) {
    withoutOwnOptions(message);
    for (const field of message.field) withoutOwnOptions(field);
    messages.push(...message.nestedType);
  }
  return proto;
}

function withoutOwnOptions({ options }: { options?: Message | undefined }): void {
  if (options?.$unknown === undefined) return;
  options.$unknown = options.$unknown.filter(({ no }) => no !== OWN_OPTION);
}
