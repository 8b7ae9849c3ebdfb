import { readFileSync } from "node:fs";
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import {
  type Call,
  createTranscoder,
  type Transcoder,
  type TranscoderOptions,
  type TranscoderRequest,
  type TranscoderResponse,
} from "../src/index.ts";

/**
 * Everything in `descriptors.binpb`: the library made up for these tests, and gapic-showcase's compliance
 * service.
 */
export const registry: FileRegistry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, readFileSync(new URL("descriptors.binpb", import.meta.url))),
);

export function serviceNamed(typeName: string): DescService {
  const service = registry.getService(typeName);
  if (service === undefined) throw new Error(`no service ${typeName}`);
  return service;
}

export function methodNamed(path: string): DescMethod {
  const dot = path.lastIndexOf(".");
  const method = serviceNamed(path.slice(0, dot)).methods.find(({ name }) => name === path.slice(dot + 1));
  if (method === undefined) throw new Error(`no method ${path}`);
  return method;
}

/** A message of the test package from its fields in TypeScript. */
export function message(typeName: string, fields: Record<string, unknown> = {}): Message {
  const desc = registry.getMessage(typeName);
  if (desc === undefined) throw new Error(`no message ${typeName}`);
  return create(desc, fields);
}

export interface Seen {
  readonly method: DescMethod;
  readonly requests: Message[];
}

/** A call that notes what it gets, and answers what `answer` says; without that, an empty message. */
export function recordingCall(seen: Seen[], answer: (seen: Seen) => Iterable<Message>): Call {
  return async function* recorded(method, requests) {
    const noted: Seen = { method, requests: [] };
    seen.push(noted);
    for await (const request of requests) noted.requests.push(request);
    yield* answer(noted);
  };
}

export interface Harness {
  readonly transcoder: Transcoder;
  readonly seen: Seen[];
  /** The JSON of the only message that the last call got. */
  readonly lastRequest: () => unknown;
}

/** A transcoder over the test services whose calls are noted. */
export function harness(
  answer: (seen: Seen) => Iterable<Message> = ({ method }) => [create(method.output)],
  options: Partial<TranscoderOptions> = {},
): Harness {
  const seen: Seen[] = [];
  const transcoder = createTranscoder({ registry, call: recordingCall(seen, answer), ...options });
  return {
    transcoder,
    seen,
    lastRequest: () => {
      const last = seen.at(-1);
      const [request] = last?.requests ?? [];
      return last === undefined || request === undefined
        ? undefined
        : toJson(last.method.input, request, { registry });
    },
  };
}

export async function* bytesOf(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === "string" ? new TextEncoder().encode(part) : part;
}

export interface Answer {
  readonly status: number;
  readonly headers: TranscoderResponse["headers"];
  readonly text: string;
  readonly json: unknown;
}

export async function readBody(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

type Asked = Partial<Omit<TranscoderRequest, "body">> & { readonly body?: string | Uint8Array | undefined };

/** Sends `GET /path` or `POST /path`, with a JSON body where one is given, and reads the whole answer. */
export async function ask(transcoder: Transcoder, line: string, asked: Asked = {}): Promise<Answer> {
  const space = line.indexOf(" ");
  const { body, headers, ...rest } = asked;
  const response = await transcoder.handle({
    method: line.slice(0, space),
    target: line.slice(space + 1),
    headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
    body: body === undefined ? bytesOf() : bytesOf(body),
    ...rest,
  });
  const text = await readBody(response.body);
  const json = /json/.test(String(response.headers["content-type"])) && text !== "" ? parse(text) : undefined;
  return { status: response.status, headers: response.headers, text, json };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The sentences of the violations that an answer names. */
export function violationsOf(answer: Answer): readonly string[] {
  const { fieldViolations = [] } = (answer.json ?? {}) as {
    fieldViolations?: readonly { description: string }[];
  };
  return fieldViolations.map(({ description }) => description);
}

/** The fields that an answer complains about. */
export function fieldsOf(answer: Answer): readonly string[] {
  const { fieldViolations = [] } = (answer.json ?? {}) as { fieldViolations?: readonly { field: string }[] };
  return fieldViolations.map(({ field }) => field);
}
