import { execFile } from "node:child_process";
import { promisify } from "node:util";
import {
  createFileRegistry,
  type DescFile,
  type DescMessage,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { http } from "../../gen/google/api/annotations_pb.js";
import type { HttpRule } from "../../gen/google/api/http_pb.js";
import {
  event as eventRules,
  type MethodRules,
  MethodRules_Exposure,
  method as methodRules,
  type ServiceRules,
  service as serviceRules,
} from "../../gen/orrery/options/v1/options_pb.js";
import { type ReasonRules, reason_rules } from "../../gen/orrery/options/v1/problem_pb.js";

const run = promisify(execFile);

/** Bytes that an image may have: some 40 times what ours has. */
const IMAGE_BYTES = 16 * 1024 * 1024;
const BUILD_MS = 60_000;

/** One RPC with everything that its options say. */
export interface Rpc {
  /** `package.Service/Method`, as gRPC writes it. */
  readonly name: string;
  readonly method: DescMethod;
  readonly rules: MethodRules;
  readonly service: ServiceRules;
  /** Its first HTTP rule; undefined where it has none. */
  readonly http: HttpRule | undefined;
}

/** One event: the message, and the names that it has on the wire. */
export interface Event {
  readonly message: DescMessage;
  /** The context that it belongs to, such as `jobs`: the middle word of its package. */
  readonly context: string;
  /** `orrery.events.v1.<context>.<Event>` */
  readonly type: string;
  /** The SemVer of its payload's schema. */
  readonly version: string;
}

/** One reason for a refusal. */
export interface Reason {
  readonly name: string;
  readonly number: number;
  readonly rules: ReasonRules;
}

/** Everything that the protos promise, read from one image. */
export interface Contract {
  readonly registry: FileRegistry;
  /** The files of the project itself, by name. */
  readonly files: readonly DescFile[];
  readonly services: readonly DescService[];
  readonly rpcs: readonly Rpc[];
  readonly events: readonly Event[];
  readonly reasons: readonly Reason[];
}

/** The name of the enum of all reasons. */
export const REASON_ENUM = "orrery.options.v1.Problem.Reason";

/**
 * Builds an image of the protos, source positions and comments included.
 *
 * @param input - what `buf build` takes: a folder, or `.git#ref=<ref>`
 * @param cwd - the root of the checkout
 * @throws Error with what buf says, when the protos do not compile
 */
export async function buildImage(input: string, cwd: string): Promise<Uint8Array> {
  const options = { cwd, encoding: "buffer", maxBuffer: IMAGE_BYTES, timeout: BUILD_MS } as const;
  const { stdout } = await run("buf", ["build", input, "-o", "-#format=binpb"], options);
  return stdout;
}

/** Reads an image. */
export function readContract(image: Uint8Array): Contract {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const files = [...registry.files]
    .filter(({ name }) => name.startsWith("orrery/"))
    .sort((left, right) => (left.name < right.name ? -1 : 1));
  const services = files.flatMap((file) => file.services);
  return {
    registry,
    files,
    services,
    rpcs: services.flatMap((service) => service.methods.map(rpcOf)),
    events: files.flatMap((file) => file.messages.filter(isEvent).map(eventOf)),
    reasons: reasonsOf(registry),
  };
}

/** Whether an RPC can be reached from outside. */
export function isExposed({ rules }: Rpc): boolean {
  return rules.exposure === MethodRules_Exposure.EDGE;
}

/** `package.Service/Method`, as gRPC writes it. */
export function rpcName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

/** The middle word of a file's package: `jobs` of `orrery.jobs.v1`. */
export function contextOf(file: DescFile): string {
  return file.proto.package.split(".").at(-2) ?? "";
}

/** The method and the template of an HTTP rule; undefined where it has no pattern. */
export function patternOf(
  rule: HttpRule,
): { readonly method: string; readonly template: string } | undefined {
  const { pattern } = rule;
  if (pattern.case === undefined) return undefined;
  if (pattern.case === "custom") return { method: pattern.value.kind, template: pattern.value.path };
  return { method: pattern.case.toUpperCase(), template: pattern.value };
}

function rpcOf(method: DescMethod): Rpc {
  return {
    name: rpcName(method),
    method,
    rules: getOption(method, methodRules),
    service: getOption(method.parent, serviceRules),
    http: hasOption(method, http) ? getOption(method, http) : undefined,
  };
}

function isEvent(message: DescMessage): boolean {
  return hasOption(message, eventRules);
}

function eventOf(message: DescMessage): Event {
  const context = contextOf(message.file);
  const type = `orrery.events.v1.${context}.${message.name}`;
  return { message, context, type, version: getOption(message, eventRules).version };
}

function reasonsOf(registry: FileRegistry): readonly Reason[] {
  const values = registry.getEnum(REASON_ENUM)?.values ?? [];
  return values
    .filter((value) => value.number !== 0)
    .map((value) => ({ name: value.name, number: value.number, rules: getOption(value, reason_rules) }));
}
