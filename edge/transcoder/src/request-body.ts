import { bodyTooLarge, malformed, unsupportedMediaType } from "./fault.ts";
import { mediaTypeOf } from "./media-type.ts";
import type { TranscoderRequest } from "./seam.ts";

type Headers = TranscoderRequest["headers"];

/** The first value of a header. */
export function headerOf(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : value?.[0];
}

/**
 * Refuses a body that is encoded, or announced as too long, before any of it is read.
 *
 * @throws ConnectError 400, 413, 415
 */
export function checkBodyHeaders(headers: Headers, limitBytes: number): void {
  const encoding = headerOf(headers, "content-encoding");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    throw unsupportedMediaType("the body may not be compressed", { "accept-encoding": "identity" });
  }
  const length = headerOf(headers, "content-length");
  if (length !== undefined && headers["transfer-encoding"] !== undefined) {
    throw malformed("a body cannot have both a length and chunks (RFC 9112 section 6.3)");
  }
  if (length !== undefined && Number(length) > limitBytes) throw bodyTooLarge(limitBytes);
}

/**
 * Collects the whole body.
 *
 * Stops reading past the limit, but does not end the iteration: ending it would close the connection that the
 * answer has to go through.
 *
 * @throws ConnectError 413
 */
export async function collectBody(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const iterator = body[Symbol.asyncIterator]();
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    size += next.value.byteLength;
    if (size > limitBytes) throw bodyTooLarge(limitBytes);
    chunks.push(next.value);
  }
  const [only] = chunks;
  if (only !== undefined && chunks.length === 1) return only;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws ConnectError 400 for bytes that are not UTF-8 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw malformed("the body is not UTF-8");
  }
}

/**
 * Refuses a body that does not say it is JSON. A body without a content type counts as JSON.
 *
 * @throws ConnectError 415
 */
export function checkJsonType(headers: Headers, alsoAccepted?: string): void {
  const contentType = headerOf(headers, "content-type");
  if (contentType === undefined) return;
  const { type, charset } = mediaTypeOf(contentType);
  const json = type === "application/json" || (type.startsWith("application/") && type.endsWith("+json"));
  const accepted = alsoAccepted === undefined ? "application/json" : `application/json, ${alsoAccepted}`;
  if (!json && type !== alsoAccepted) {
    throw unsupportedMediaType(`the body has to be ${accepted}`, { "accept-post": accepted });
  }
  if (charset !== undefined && charset !== "utf-8" && charset !== "utf8" && charset !== "us-ascii") {
    throw unsupportedMediaType("the body has to be UTF-8", { "accept-post": accepted });
  }
}
