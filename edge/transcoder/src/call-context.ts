import { headersTooLarge, malformed } from "./fault.ts";
import type { CallContext, TranscoderRequest, TranscoderResponse } from "./seam.ts";

/** Headers that belong to one connection or to the body as it was encoded, and so never pass a gateway. */
const HOP_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function passes(name: string): boolean {
  return !HOP_HEADERS.has(name) && !name.startsWith("grpc-") && !name.startsWith(":");
}

type ResponseHeaders = TranscoderResponse["headers"];

/** What one call is told, and what it told in return. */
export class RequestContext implements CallContext {
  /** Response headers so far. */
  readonly responseHeaders: ResponseHeaders = {};
  readonly #request: TranscoderRequest;
  #signal: AbortSignal | undefined;
  #headers: Headers | undefined;

  constructor(request: TranscoderRequest, signal: AbortSignal | undefined) {
    this.#request = request;
    this.#signal = signal;
  }

  /** One that is never aborted where the request has none. */
  get signal(): AbortSignal {
    this.#signal ??= new AbortController().signal;
    return this.#signal;
  }

  /** Made when first asked for, as many calls never ask. */
  get headers(): Headers {
    this.#headers ??= requestHeaders(this.#request.headers);
    return this.#headers;
  }

  onHeader(headers: Headers): void {
    copyHeaders(headers, this.responseHeaders, "");
  }

  onTrailer(headers: Headers): void {
    copyHeaders(headers, this.responseHeaders, "trailer-");
  }
}

/** @throws ConnectError 400 for a name or value that no header can have */
function requestHeaders(given: TranscoderRequest["headers"]): Headers {
  const headers = new Headers();
  try {
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined || !passes(name)) continue;
      for (const each of typeof value === "string" ? [value] : value) headers.append(name, each);
    }
  } catch {
    throw malformed("a header has a name or value that is not allowed");
  }
  return headers;
}

/** Copies what may pass; several values of one name stay apart where they are cookies. */
export function copyHeaders(from: Headers, to: ResponseHeaders, prefix: string): void {
  for (const [name, value] of from) if (passes(name) && name !== "set-cookie") to[prefix + name] = value;
  const cookies = from.getSetCookie();
  if (cookies.length > 0 && prefix === "") to["set-cookie"] = cookies;
}

/** @throws ConnectError 431 */
export function checkHeaderBytes(headers: TranscoderRequest["headers"], limitBytes: number): void {
  let size = 0;
  for (const name in headers) {
    const value = headers[name];
    if (typeof value === "string") size += name.length + value.length;
    else if (value !== undefined) for (const each of value) size += name.length + each.length;
  }
  if (size > limitBytes) throw headersTooLarge(limitBytes);
}
