import {
  clone,
  type DescField,
  type DescMessage,
  type DescMethod,
  type JsonValue,
  type Message,
  type Registry,
  ScalarType,
  toJson,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import { base64Encode } from "@bufbuild/protobuf/wire";
import { isScalarWellKnownType } from "./field-path.ts";
import { httpBodyOf } from "./http-body.ts";
import { findHttpExtension } from "./http-rule.ts";
import { type BoundVariable, type Route, routesOf } from "./route.ts";

/** An HTTP request for one RPC with one message. */
export interface EncodedRequest {
  readonly method: string;
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
}

/**
 * Makes the HTTP request that a transcoder with the same rules binds back to this message.
 *
 * Takes the first binding that fits: each path variable has a value that matches its template, where an unset
 * field counts as its zero value and an empty text never fits, and everything outside the body can be a query
 * parameter.
 *
 * @param options - `registry` has to hold the types inside a `google.protobuf.Any`
 * @throws Error when no binding fits, when a path segment would be `.` or `..`, or when the RPC takes a
 * stream
 */
export function encodeRequest(
  method: DescMethod,
  message: Message,
  options: { registry?: Registry } = {},
): EncodedRequest {
  const name = `${method.parent.typeName}.${method.name}`;
  if (method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming") {
    throw new Error(`${name} takes a stream of messages`);
  }
  for (const route of knownRoutes(method, options.registry)) {
    const request = encodeAs(route, message, options.registry);
    if (request !== undefined) return request;
  }
  throw new Error(`${name} has no HTTP binding that fits this message`);
}

const routesByMethod = new WeakMap<DescMethod, readonly Route[]>();

function knownRoutes(method: DescMethod, registry: Registry | undefined): readonly Route[] {
  const known = routesByMethod.get(method);
  if (known !== undefined) return known;
  const extension = findHttpExtension(registry, method);
  if (extension === undefined) return [];
  const routes = routesOf(method, extension);
  routesByMethod.set(method, routes);
  return routes;
}

function encodeAs(
  route: Route,
  message: Message,
  registry: Registry | undefined,
): EncodedRequest | undefined {
  const { method, bodyTarget } = route;
  const left = reflect(method.input, clone(method.input, message));
  const path = encodePath(route, left);
  if (path === undefined) return undefined;
  for (const variable of route.variables) clearPath(left, variable.path.fields);
  const body = encodeBody(route, left, registry);
  if (bodyTarget.kind === "field") left.clear(bodyTarget.field);
  const query = bodyTarget.kind === "message" ? [] : encodeQuery(left, "");
  if (query === undefined) return undefined;
  const target = query.length === 0 ? path : `${path}?${query.join("&")}`;
  const httpMethod = route.httpMethod === "*" ? (body === undefined ? "GET" : "POST") : route.httpMethod;
  const headers: Record<string, string> = { accept: "application/json" };
  if (body === undefined) return { method: httpMethod, target, headers };
  if (body.contentType !== "") headers["content-type"] = body.contentType;
  return { method: httpMethod, target, headers, body: body.data };
}

function encodePath(route: Route, message: ReflectMessage): string | undefined {
  const parts: string[] = [];
  let covered = 0;
  for (const [index, segment] of route.path.segments.entries()) {
    const variable = route.variables.find(({ start }) => start === index);
    if (variable !== undefined) {
      const value = encodeVariable(route, variable, message);
      if (value === undefined) return undefined;
      parts.push(value);
      covered = variable.end ?? route.path.segments.length;
    } else if (index >= covered) {
      // A wildcard outside any variable can be anything; there is no field to say what.
      parts.push(segment.kind === "literal" ? encodeText(segment.text) : "-");
    }
  }
  if (parts.some((part) => part.split("/").some((segment) => segment === "." || segment === ".."))) {
    throw new Error(`${route.template}: a path segment would be "." or ".."`);
  }
  const verb = route.path.verb === "" ? "" : `:${encodeText(route.path.verb)}`;
  return `/${parts.join("/")}${verb}`;
}

function encodeVariable(route: Route, variable: BoundVariable, message: ReflectMessage): string | undefined {
  const text = scalarText(variable.path.last, valueAt(message, variable.path.fields));
  if (text === undefined || text === "") return undefined;
  const pattern = route.path.segments.slice(variable.start, variable.end);
  if (!variable.multi) {
    const [only] = pattern;
    return only?.kind === "literal" && only.text !== text ? undefined : encodeText(text);
  }
  const segments = text.split("/");
  if (segments.includes("")) return undefined;
  const rest = pattern.at(-1)?.kind === "rest";
  const fixed = rest ? pattern.length - 1 : pattern.length;
  if (rest ? segments.length < fixed : segments.length !== fixed) return undefined;
  for (const [index, segment] of pattern.entries()) {
    if (segment.kind === "literal" && segment.text !== segments[index]) return undefined;
  }
  return segments.map(encodeText).join("/");
}

/** Escapes all but `[-_.~0-9a-zA-Z]`, as `google/api/http.proto` asks of clients. */
function encodeText(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function valueAt(message: ReflectMessage, fields: readonly DescField[]): unknown {
  let parent = message;
  for (const field of fields.slice(0, -1)) {
    if (field.fieldKind !== "message") return undefined;
    parent = parent.get(field);
  }
  const last = fields.at(-1);
  return last === undefined ? undefined : parent.get(last);
}

function clearPath(message: ReflectMessage, fields: readonly DescField[]): void {
  let parent = message;
  for (const field of fields.slice(0, -1)) {
    if (field.fieldKind !== "message" || !parent.isSet(field)) return;
    parent = parent.get(field);
  }
  const last = fields.at(-1);
  if (last !== undefined) parent.clear(last);
}

/** The text of a scalar, an enum value, or one element of a list of them; undefined for other values. */
function scalarText(field: DescField, value: unknown): string | undefined {
  if (field.enum !== undefined) {
    return typeof value === "number" ? (field.enum.value[value]?.name ?? String(value)) : undefined;
  }
  if (field.scalar === ScalarType.BYTES) {
    return value instanceof Uint8Array ? base64Encode(value, "url") : undefined;
  }
  if (Object.is(value, -0)) return "-0";
  const simple = typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
  return simple || typeof value === "string" ? String(value) : undefined;
}

function encodeBody(
  route: Route,
  message: ReflectMessage,
  registry: Registry | undefined,
): { readonly data: Uint8Array; readonly contentType: string } | undefined {
  const { bodyTarget } = route;
  if (bodyTarget.kind === "none") return undefined;
  if (route.rawRequest) return rawBody(route, message);
  const options = registry === undefined ? {} : { registry };
  const json =
    bodyTarget.kind === "message"
      ? toJson(message.desc, message.message, options)
      : fieldJson(message, bodyTarget.field, options);
  if (json === undefined) return undefined;
  return { data: new TextEncoder().encode(JSON.stringify(json)), contentType: "application/json" };
}

function rawBody(route: Route, message: ReflectMessage) {
  const { bodyTarget } = route;
  if (bodyTarget.kind === "field" && !message.isSet(bodyTarget.field)) return undefined;
  const field = bodyTarget.kind === "field" ? bodyTarget.field : undefined;
  return httpBodyOf(message.desc, field, message.message);
}

/** The JSON of one field: undefined where it is not set. */
function fieldJson(
  message: ReflectMessage,
  field: DescField,
  options: { registry?: Registry },
): JsonValue | undefined {
  const json = toJson(message.desc, message.message, options);
  return typeof json === "object" && json !== null && !Array.isArray(json) ? json[field.jsonName] : undefined;
}

/** Query parameters of all fields that are set; undefined when one cannot be a query parameter. */
function encodeQuery(message: ReflectMessage, prefix: string): readonly string[] | undefined {
  const parameters: string[] = [];
  for (const field of message.fields) {
    if (!message.isSet(field)) continue;
    const name = `${prefix}${field.jsonName}`;
    if (field.fieldKind === "message" && !isScalarWellKnownType(field.message)) {
      const nested = isParameterMessage(field.message)
        ? encodeQuery(message.get(field), `${name}.`)
        : undefined;
      if (nested === undefined) return undefined;
      parameters.push(...nested);
      continue;
    }
    const texts = fieldTexts(message, field);
    if (texts === undefined) return undefined;
    for (const text of texts) parameters.push(`${encodeText(name)}=${encodeText(text)}`);
  }
  return parameters;
}

function isParameterMessage(desc: DescMessage): boolean {
  return !desc.typeName.startsWith("google.protobuf.") || desc.typeName === "google.protobuf.Empty";
}

function fieldTexts(message: ReflectMessage, field: DescField): readonly string[] | undefined {
  if (field.fieldKind === "map") return undefined;
  if (field.fieldKind === "list") {
    const texts: string[] = [];
    for (const value of message.get(field)) {
      const text = elementText(field, value);
      if (text === undefined) return undefined;
      texts.push(text);
    }
    return texts;
  }
  const text = elementText(field, message.get(field));
  return text === undefined ? undefined : [text];
}

function elementText(field: DescField, value: unknown): string | undefined {
  if (field.message === undefined) return scalarText(field, value);
  if (!isScalarWellKnownType(field.message)) return undefined;
  const json = toJson(field.message, (value as ReflectMessage).message);
  return typeof json === "object" ? undefined : String(json);
}
