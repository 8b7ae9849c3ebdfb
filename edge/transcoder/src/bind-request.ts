import {
  create,
  type DescMethod,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Assignment, assign, readText } from "./assignment.ts";
import { bindingFault, malformed } from "./fault.ts";
import { impliedMask } from "./field-mask.ts";
import { bodyAsHttpBody } from "./http-body.ts";
import { parseJson } from "./json-message.ts";
import type { JsonTree } from "./json-tree.ts";
import { JsonWalk } from "./json-walk.ts";
import type { TranscoderLimits } from "./limits.ts";
import { mediaTypeOf } from "./media-type.ts";
import { type Given, type QueryBinder, take } from "./query-parameters.ts";
import { checkBodyHeaders, checkJsonType, collectBody, decodeUtf8, headerOf } from "./request-body.ts";
import { arrayElements, lines } from "./request-stream.ts";
import { decodeSegment, decodeSegments } from "./request-target.ts";
import type { BoundVariable, Route } from "./route.ts";
import type { RouteMatch } from "./route-table.ts";
import type { TranscoderRequest } from "./seam.ts";

const NDJSON = "application/x-ndjson";

export interface BinderOptions {
  readonly registry: Registry;
  readonly limits: TranscoderLimits;
  readonly query: QueryBinder;
  readonly bodyLimitBytes: (method: DescMethod) => number | undefined;
}

interface Body {
  readonly bytes: Uint8Array;
  readonly headers: TranscoderRequest["headers"];
}

/** Makes request messages out of HTTP requests. A field in the path wins over the same field in the body. */
export class RequestBinder {
  readonly #options: BinderOptions;

  constructor(options: BinderOptions) {
    this.#options = options;
  }

  /**
   * Binds a request whose RPC takes one message.
   *
   * @throws ConnectError 400 with the path of each field at fault, 413, 415
   */
  async unary(match: RouteMatch, query: string, request: TranscoderRequest): Promise<Message> {
    const { route } = match;
    const assignments = this.#bindUrl(match, query);
    const limitBytes = this.#limitBytes(route);
    checkBodyHeaders(request.headers, limitBytes);
    const bytes = await collectBody(request.body, limitBytes);
    return this.#message(route, { bytes, headers: request.headers }, assignments);
  }

  /**
   * Binds a request whose RPC takes a stream: a JSON array, or lines of JSON, or chunks of an HttpBody. Path
   * and query are bound at once, and set in every message, so that none can be for something else than the
   * path says; the messages are bound as they are read.
   *
   * @throws ConnectError 400, 415; later 413 and 400 from the iteration
   */
  stream(match: RouteMatch, query: string, request: TranscoderRequest): AsyncIterable<Message> {
    const { route } = match;
    const assignments = this.#bindUrl(match, query);
    checkBodyHeaders(request.headers, Number.POSITIVE_INFINITY);
    if (route.rawRequest) return this.#chunks(route, request, assignments);
    checkJsonType(request.headers, NDJSON);
    return this.#elements(route, request, assignments);
  }

  async *#chunks(route: Route, request: TranscoderRequest, assignments: readonly Assignment[]) {
    let headers = request.headers;
    for await (const chunk of request.body) {
      yield this.#message(route, { bytes: chunk, headers }, assignments);
      headers = {};
    }
  }

  async *#elements(route: Route, request: TranscoderRequest, assignments: readonly Assignment[]) {
    const limitBytes = this.#limitBytes(route);
    const ndjson = mediaTypeOf(headerOf(request.headers, "content-type") ?? "").type === NDJSON;
    const texts = ndjson ? lines(request.body, limitBytes) : arrayElements(request.body, limitBytes);
    for await (const text of texts) yield this.#jsonMessage(route, text, assignments);
  }

  #limitBytes(route: Route): number {
    return this.#options.bodyLimitBytes(route.method) ?? this.#options.limits.bodyBytes;
  }

  #bindUrl({ route, segments }: RouteMatch, query: string): readonly Assignment[] {
    const given: Given = { assignments: [], violations: [], taken: new Map() };
    for (const variable of route.variables) bindVariable(variable, segments, given);
    const { bodyTarget } = route;
    if (bodyTarget.kind === "field" && bodyTarget.field.oneof !== undefined) {
      take({ fields: [bodyTarget.field], last: bodyTarget.field, jsonPath: "" }, given.taken, "the body");
    }
    this.#options.query.bind(route, query, given);
    if (given.violations.length > 0) throw bindingFault(given.violations);
    return given.assignments;
  }

  #message(route: Route, { bytes, headers }: Body, assignments: readonly Assignment[]): Message {
    if (route.rawRequest) {
      const message = bodyAsHttpBody(route, bytes, headerOf(headers, "content-type") ?? "");
      return completed(route, message, assignments);
    }
    if (bytes.byteLength > 0) checkJsonType(headers);
    return this.#jsonMessage(route, decodeUtf8(bytes), assignments);
  }

  #jsonMessage(route: Route, text: string, assignments: readonly Assignment[]): Message {
    const { method, bodyTarget } = route;
    const bare = () => completed(route, create(method.input), assignments);
    if (text === "") return bare();
    const prefix = bodyTarget.kind === "field" ? `${bodyTarget.field.jsonName}.` : "";
    const { value, inexact } = parseJson(text, this.#options.limits, prefix);
    if (bodyTarget.kind === "none") {
      if (isEmptyObject(value)) return bare();
      throw malformed("this route takes no body");
    }
    const walk = new JsonWalk(this.#options.registry, inexact);
    const holder: JsonObject = {};
    const key = bodyTarget.kind === "field" ? bodyTarget.field.jsonName : "";
    holder[key] = value as JsonValue;
    if (bodyTarget.kind === "field") walk.field(bodyTarget.field, holder, key);
    else walk.message(method.input, holder, key);
    if (walk.violations.length > 0) throw bindingFault(walk.violations);
    const json = bodyTarget.kind === "field" ? holder : (holder[key] ?? null);
    const implied = impliedMask(route, value, assignments);
    const all = implied === undefined ? assignments : [...assignments, implied];
    return completed(route, this.#fromJson(method, json), all);
  }

  #fromJson(method: DescMethod, json: JsonValue): Message {
    try {
      return fromJson(method.input, json, { registry: this.#options.registry });
    } catch (error) {
      // The walk found nothing, so the text of protobuf-es is all there is to say; it names types, never
      // values of ours.
      throw malformed(error instanceof Error ? error.message : "the body does not fit the message");
    }
  }
}

function bindVariable(variable: BoundVariable, segments: readonly string[], given: Given): void {
  const text = variable.multi
    ? decodeSegments(segments.slice(variable.start, variable.end))
    : decodeSegment(segments[variable.start] ?? "");
  take(variable.path, given.taken, "the path");
  const read = readText(variable.path.last, text);
  if ("fault" in read) given.violations.push({ field: variable.path.jsonPath, description: read.fault });
  else given.assignments.push({ path: variable.path, value: read.value });
}

/** Adds what the URL gives. */
function completed({ method }: Route, message: Message, assignments: readonly Assignment[]): Message {
  if (assignments.length > 0) assign(reflect(method.input, message), assignments);
  return message;
}

function isEmptyObject(value: JsonTree): boolean {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}
