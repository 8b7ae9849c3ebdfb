import { Readable } from "node:stream";
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
  const chunks = new Chunks(limitBytes);
  if (body instanceof Readable) {
    await collectStream(body, chunks);
  } else {
    const iterator = body[Symbol.asyncIterator]();
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
      chunks.add(next.value);
  }
  return chunks.whole();
}

/** Does by events what the stream's own iterator does for several times the processor time. */
function collectStream(stream: Readable, chunks: Chunks): Promise<void> {
  if (stream.readableEnded) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const fail = (reason: unknown): void => {
      stream.off("data", take);
      stream.pause();
      reject(reason as Error);
    };
    const take = (chunk: Uint8Array): void => {
      try {
        chunks.add(chunk);
      } catch (error) {
        fail(error);
      }
    };
    const broken = (): void => fail(stream.errored ?? new Error("the body ended before its end"));
    if (stream.destroyed) return broken();
    stream.once("end", () => {
      stream.off("close", broken);
      resolve();
    });
    stream.once("error", fail);
    stream.once("close", broken);
    stream.on("data", take);
  });
}

/** What has come of a body. */
class Chunks {
  readonly #limitBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** @throws ConnectError 413 past the limit */
  add(chunk: Uint8Array): void {
    this.#size += chunk.byteLength;
    if (this.#size > this.#limitBytes) throw bodyTooLarge(this.#limitBytes);
    this.#chunks.push(chunk);
  }

  whole(): Uint8Array {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.byteLength;
    }
    return whole;
  }
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
