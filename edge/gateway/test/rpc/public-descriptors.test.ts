import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "@jest/globals";
import { edgeMethods, nameOf } from "../../src/dispatch/edge-methods.ts";
import { SERVICES } from "../../src/registry.ts";
import { publicDescriptors } from "../../src/rpc/public-descriptors.ts";

const methods = [...edgeMethods(SERVICES).keys()];
const files = publicDescriptors(methods);
/** Fails where a type or an import is named that is not there. */
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, { file: files.map((file) => fromBinary(FileDescriptorProtoSchema, file)) }),
);
/** The tag of field 51001, length-delimited: how every option of ours begins on the wire. */
const OWN_OPTION = Buffer.from([0xca, 0xf3, 0x18]);

test("the outside sees the RPCs that are exposed, whole, and no other", () => {
  const shown = [...registry].flatMap((type) => (type.kind === "service" ? type.methods : []));
  expect(shown.map(nameOf).toSorted()).toEqual(methods.map(nameOf).toSorted());
  for (const method of methods) {
    const { input } = shown.find((each) => nameOf(each) === nameOf(method)) ?? {};
    expect(input?.fields.map(({ name }) => name)).toEqual(method.input.fields.map(({ name }) => name));
  }
});

test("the outside sees neither our options nor what they are made of, nor the messages of internal RPCs", () => {
  expect(Buffer.concat(files).includes(OWN_OPTION)).toBe(false);
  expect(registry.getExtension("orrery.options.v1.method")).toBeUndefined();
  for (const name of ["options.v1.MethodRules", "options.v1.ReasonRules", "jobs.v1.SubmitJobsRequest"]) {
    expect([name, registry.getMessage(`orrery.${name}`)]).toEqual([name, undefined]);
  }
  expect(registry.getEnum("orrery.options.v1.Problem.Reason")).toBeDefined();
  expect(registry.getExtension("google.api.http")).toBeDefined();
});
