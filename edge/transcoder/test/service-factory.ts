import { readFileSync } from "node:fs";
import {
  create,
  createFileRegistry,
  type DescService,
  fromBinary,
  fromJson,
  type JsonObject,
  setExtension,
} from "@bufbuild/protobuf";
import {
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MethodOptionsSchema,
} from "@bufbuild/protobuf/wkt";
import { registry } from "./transcoder-fixture.ts";

const PACKAGE = "transcoder.test.v1";

/** An RPC made up for one test. */
export interface Rpc {
  readonly rule: JsonObject;
  /** A message of the test package. Default `Book`. */
  readonly input?: string;
  /** In both directions. */
  readonly streams?: boolean;
}

/** A service made up for one test, `transcoder.bad.Bad`, whose RPCs `Rpc0`, `Rpc1`, … have these rules. */
export function serviceWith(...rpcs: readonly Rpc[]): DescService {
  const set = fromBinary(
    FileDescriptorSetSchema,
    readFileSync(new URL("descriptors.binpb", import.meta.url)),
  );
  const http = registry.getExtension("google.api.http");
  if (http?.message === undefined) throw new Error("no google.api.http");
  const { message } = http;
  const method = rpcs.map(({ rule, input = "Book", streams = false }, index) => {
    const options = create(MethodOptionsSchema);
    setExtension(options, http, fromJson(message, rule) as never);
    const types = { inputType: `.${PACKAGE}.${input}`, outputType: `.${PACKAGE}.Book` };
    return { name: `Rpc${index}`, ...types, clientStreaming: streams, serverStreaming: streams, options };
  });
  set.file.push(
    create(FileDescriptorProtoSchema, {
      ...{ name: "bad.proto", package: "transcoder.bad", syntax: "proto3" },
      dependency: ["transcoder/test/v1/library.proto", "google/api/annotations.proto"],
      service: [{ name: "Bad", method }],
    }),
  );
  const service = createFileRegistry(set).getService("transcoder.bad.Bad");
  if (service === undefined) throw new Error("no service");
  return service;
}
