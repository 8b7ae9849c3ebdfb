import { validateHeaderName, validateHeaderValue } from "node:http";
import type { JsonValue } from "@bufbuild/protobuf";
import { badInput, fieldsOf } from "./task.ts";

/** A request as `orrery.http` was asked for it. */
export interface HttpInput {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** Milliseconds, 1 to 300,000; 30,000 unless set. */
  readonly timeoutMs: number;
}

const FIELDS = ["url", "method", "headers", "body", "timeoutMs"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const HEADER_LIMIT = 32;
const TIMEOUT_DEFAULT_MS = 30_000;
const TIMEOUT_LIMIT_MS = 300_000;
/** Headers that belong to the connection and not to the caller. */
const OWN_HEADERS =
  /^(host|connection|content-length|transfer-encoding|upgrade|te|trailer|keep-alive|expect|proxy-.*)$/i;

/**
 * Parses the input of `orrery.http`.
 *
 * @throws TaskFailure INVALID_INPUT that names the field and what it may hold
 */
export function httpInput(input: JsonValue | undefined): HttpInput {
  const { url, method = "GET", headers = {}, body, timeoutMs = TIMEOUT_DEFAULT_MS } = fieldsOf(input, FIELDS);
  if (typeof method !== "string" || !METHODS.includes(method)) {
    throw badInput(`input.method has to be one of ${METHODS.join(", ")}`);
  }
  if (typeof timeoutMs !== "number" || !(timeoutMs >= 1 && timeoutMs <= TIMEOUT_LIMIT_MS)) {
    throw badInput(`input.timeoutMs has to be a number from 1 to ${TIMEOUT_LIMIT_MS}`);
  }
  if (body !== undefined && (method === "GET" || method === "HEAD")) {
    throw badInput(`input.body cannot go with ${method}`);
  }
  const given = headersFrom(headers);
  const asJson = body !== undefined && typeof body !== "string";
  const typed = asJson && given["content-type"] === undefined ? { "content-type": "application/json" } : {};
  return {
    url: urlFrom(url),
    method,
    headers: { ...typed, ...given },
    body: asJson ? JSON.stringify(body) : body,
    timeoutMs: Math.ceil(timeoutMs),
  };
}

function urlFrom(url: JsonValue | undefined): URL {
  const parsed = typeof url === "string" ? URL.parse(url) : null;
  if (parsed === null || (parsed.protocol !== "http:" && parsed.protocol !== "https:")) {
    throw badInput("input.url has to be an http or https address");
  }
  if (parsed.username !== "" || parsed.password !== "")
    throw badInput("input.url may not hold a user or password");
  return parsed;
}

function headersFrom(headers: JsonValue): Record<string, string> {
  if (headers === null || typeof headers !== "object" || Array.isArray(headers)) {
    throw badInput("input.headers has to be an object of strings");
  }
  const entries = Object.entries(headers);
  if (entries.length > HEADER_LIMIT) throw badInput(`input.headers may hold at most ${HEADER_LIMIT}`);
  return Object.fromEntries(entries.map(([name, value]) => headerFrom(name, value)));
}

function headerFrom(name: string, value: JsonValue): readonly [string, string] {
  if (OWN_HEADERS.test(name)) throw badInput(`input.headers.${name} is set by the connection itself`);
  if (typeof value !== "string") throw badInput(`input.headers.${name} has to be a string`);
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch {
    throw badInput("input.headers holds a name or a value that HTTP does not allow");
  }
  return [name.toLowerCase(), value];
}
