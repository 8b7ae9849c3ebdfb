import { request as httpRequest } from "node:http";
import type { Json } from "../../../mesh/dev/testing/json.ts";
import type { DeclaredAnswer, OpenApiDocument, Operation } from "./openapi-document.ts";

/** What is sent, by the names of the document. */
export interface Sending {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly accept?: string;
  /** Null for none at all. */
  readonly key?: string | null;
  /** Ends a stream that has no end: true after a frame means that it is enough. */
  readonly enough?: (frames: readonly Frame[]) => boolean;
}

/** One frame of an event stream, or one line of NDJSON. */
export interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** What came back, and everything about it that the document does not say. */
export interface Answer {
  readonly operation: Operation;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Json;
  readonly frames: readonly Frame[];
  readonly lies: readonly string[];
}

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

const LIMIT_MS = 45_000;

/**
 * A client that knows the API from its OpenAPI document and from nothing else: it builds each request from the
 * operation's parameters, and holds each answer against what the operation declares.
 */
export class DocumentClient {
  /** Everything that was sent, by operation and status. */
  readonly seen = new Map<string, Map<number, number>>();
  readonly #document: OpenApiDocument;
  readonly #edge: URL;
  readonly #key: string;

  constructor(document: OpenApiDocument, { edge, key }: { edge: string; key: string }) {
    this.#document = document;
    this.#edge = new URL(edge);
    this.#key = key;
  }

  /** Calls an operation. Never throws for an answer, whatever it is. */
  async call(id: string, sending: Sending = {}): Promise<Answer> {
    const operation = this.#document.operations.get(id);
    if (operation === undefined) throw new Error(`the document has no operation ${id}`);
    const raw = await this.#send(operation, sending);
    const counts = this.seen.get(id) ?? new Map<number, number>();
    this.seen.set(id, counts.set(raw.status, (counts.get(raw.status) ?? 0) + 1));
    return this.#judge(operation, raw);
  }

  #send(operation: Operation, sending: Sending): Promise<Raw> {
    const { promise, resolve, reject } = Promise.withResolvers<Raw>();
    const key = sending.key === undefined ? this.#key : sending.key;
    const body = sending.body === undefined ? undefined : JSON.stringify(sending.body);
    const request = httpRequest({
      host: this.#edge.hostname,
      port: this.#edge.port,
      method: operation.method,
      path: targetOf(operation, sending),
      headers: {
        ...(operation.needsKey && key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...(sending.accept !== undefined && { accept: sending.accept }),
        ...sending.headers,
      },
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let text = "";
      const headers = Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
      );
      const done = () => resolve({ status: response.statusCode ?? 0, headers, text });
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
        if (sending.enough?.(framesOf(text, headers["content-type"] ?? "")) !== true) return;
        done();
        request.destroy();
      });
      response.on("end", done);
      response.on("error", reject);
    });
    request.end(body);
    return promise;
  }

  #judge(operation: Operation, { status, headers, text }: Raw): Answer {
    const type = (headers["content-type"] ?? "").split(";")[0]?.trim() ?? "";
    const frames = framesOf(text, type);
    const body: unknown = /json$/.test(type) ? parsed(text) : text;
    const declared = operation.answers.get(status);
    const lies =
      declared === undefined
        ? [`${operation.id} answered ${status}, which the document does not declare: ${text.slice(0, 300)}`]
        : this.#liesOf(declared, { type, body, frames, headers }).map(
            (lie) => `${operation.id} answered ${status}: ${lie}`,
          );
    return { operation, status, headers, body, frames, lies };
  }

  #liesOf(
    declared: DeclaredAnswer,
    answer: {
      type: string;
      body: unknown;
      frames: readonly Frame[];
      headers: Readonly<Record<string, string>>;
    },
  ): readonly string[] {
    const { type, body, frames, headers } = answer;
    // Headers that every answer has are promised; the others depend on what was asked.
    const promised = ["X-Correlation-Id", "X-Request-Id", "traceparent", "RateLimit-Policy", "Location"];
    const missing = declared.headers.filter(
      (name) => promised.includes(name) && headers[name.toLowerCase()] === undefined,
    );
    const without = missing.map((name) => `it lacks the header ${name}`);
    if (declared.content.size === 0) return type === "" ? without : [...without, `it has content of ${type}`];
    const media = declared.content.get(type);
    if (media === undefined) return [...without, `it is ${type || "without a type"}, which is not declared`];
    const { frame } = media;
    if (frame !== undefined) {
      return [...without, ...frames.flatMap(({ data }) => this.#document.problems(frame, data))];
    }
    return [...without, ...this.#document.problems(media.schema, body)];
  }
}

function targetOf({ path, parameters }: Operation, { path: given = {}, query = {} }: Sending): string {
  const filled = path.replace(/\{([^}]+)\}/g, (_, name: string) => segment(given[name] ?? ""));
  const known = new Set(parameters.filter((one) => one.in === "query").map(({ name }) => name));
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => [name, String(one)]),
  );
  for (const [name] of pairs)
    if (!known.has(name ?? "") && name !== "notInTheDocument") throw new Error(`no parameter ${name}`);
  const text = new URLSearchParams(pairs as [string, string][]).toString();
  return text === "" ? filled : `${filled}?${text}`;
}

/** One segment of a path; dots alone would be taken for a way up. */
function segment(value: string): string {
  return encodeURIComponent(value).replace(/^\.+$/, (dots) => dots.replaceAll(".", "%2E"));
}

function framesOf(text: string, type: string): readonly Frame[] {
  if (type.startsWith("application/x-ndjson")) {
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => ({ id: "", event: "", data: parsed(line) }));
  }
  if (!type.startsWith("text/event-stream")) return [];
  const blocks = text.split("\n\n").slice(0, -1);
  return blocks.flatMap((block) => {
    const field = (name: string) =>
      block
        .split("\n")
        .filter((line) => line.startsWith(`${name}:`))
        .map((line) => line.slice(name.length + 1).trimStart())
        .join("\n");
    const data = field("data");
    return data === "" ? [] : [{ id: field("id"), event: field("event"), data: parsed(data) }];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
