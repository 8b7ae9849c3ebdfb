import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { Fault } from "@orrery/mesh/fault/fault";
import { compressed } from "./compression.ts";
import type { Exchange } from "./exchange.ts";
import { LIMITS } from "./limits.ts";
import { errorAnswer } from "./problem.ts";

/** An answer whose body is known as a whole. */
export interface WholeAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Uint8Array | string;
  /** Nothing was carried out for it, so that it may be refused in its place; what GET asks for is so anyway. */
  readonly refusable?: boolean;
}

/** Sends an answer, compressed where it is worth it and the client takes it. */
export async function sendWhole(
  exchange: Exchange,
  response: ServerResponse,
  answer: WholeAnswer,
): Promise<void> {
  const { status, body, refusable = exchange.httpMethod === "GET" } = answer;
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const worthIt = bytes >= LIMITS.compressFromBytes;
  const smaller =
    worthIt && !answer.headers["content-encoding"]
      ? await compressed(body, exchange.header("accept-encoding"))
      : undefined;
  if (response.destroyed || response.headersSent) return;
  if (refusable && exchange.fault === undefined) exchange.unsent.requireRoom(exchange.caller, bytes);
  const headers: Record<string, string | string[]> = { ...answer.headers, ...exchange.answerHeaders };
  if (worthIt) headers.vary = "accept-encoding";
  if (smaller !== undefined) headers["content-encoding"] = smaller.encoding;
  if (status !== 204) headers["content-length"] = String(smaller?.body.length ?? bytes);
  response.writeHead(status, headers);
  // Text goes out in one piece with the head; bytes are a second piece, which the kernel is given separately.
  response.end(exchange.httpMethod === "HEAD" || status === 204 ? undefined : (smaller?.body ?? body));
  countRest(exchange, response);
}

/** The lowest status that tells of a failure. */
export const FIRST_ERROR = 400;

/** Counts what the kernel did not take of an answer at its end. */
function countRest(exchange: Exchange, response: ServerResponse): void {
  if (response.writableLength > 0) countUnsent(exchange, response, response.writableLength);
}

/** Counts bytes of an answer that wait for its client, until they are out, the client is gone, or it is disposed of. */
function countUnsent(exchange: Exchange, response: ServerResponse, bytes: number): Disposable {
  const waiting = exchange.unsent.count(exchange.caller, bytes);
  const over = (): void => {
    response.off("finish", over).off("close", over);
    waiting[Symbol.dispose]();
  };
  response.once("finish", over).once("close", over);
  return { [Symbol.dispose]: over };
}

/**
 * A body of messages that were read, with what waits of it counted. Its sender asks for more when that is out.
 *
 * @throws Fault as `UnsentBytes.requireRoom` before a large one
 */
export async function* counted(
  exchange: Exchange,
  response: ServerResponse,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    exchange.unsent.requireRoom(exchange.caller, chunk.length);
    using _waiting = countUnsent(exchange, response, response.writableLength + chunk.length);
    yield chunk;
  }
  countRest(exchange, response);
}

/** Sends an answer as it is made. */
export async function sendStream(
  exchange: Exchange,
  response: ServerResponse,
  answer: { status: number; headers: Record<string, string | string[]>; body: AsyncIterable<Uint8Array> },
): Promise<void> {
  response.writeHead(answer.status, { ...answer.headers, ...exchange.answerHeaders });
  response.flushHeaders();
  await sendStreamBody(exchange, response, answer.body);
}

/**
 * Sends a body as it is made, no faster than the client reads; its source is told when the client goes away.
 */
export async function sendStreamBody(
  exchange: Exchange,
  response: ServerResponse,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  try {
    await pipeline(counted(exchange, response, body), response);
  } catch {
    // The client went away, or the source failed after the head: either way nobody is left to be told.
    response.destroy();
  }
}

/** A body as a whole. */
export async function wholeBody(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const [first = new Uint8Array()] = chunks;
  return chunks.length <= 1 ? first : Buffer.concat(chunks);
}

/** Sends a fault in the form that the client takes. */
export async function sendFault(
  exchange: Exchange,
  request: IncomingMessage,
  response: ServerResponse,
  options: { fault: Fault; publicUrl: string; headers?: Record<string, string> },
): Promise<void> {
  exchange.fault = options.fault;
  const about = { edge: options.publicUrl, instance: exchange.path, traceId: exchange.traceId };
  const answer = errorAnswer(options.fault, about, exchange.header("accept"));
  closeIfEndless(request, response);
  await sendWhole(exchange, response, { ...answer, headers: { ...answer.headers, ...options.headers } });
}

/**
 * Gives up a connection whose body was not read and is too large to be thrown away, or of unknown length. Any
 * other body is discarded by Node after the answer, and the connection serves the next request.
 */
export function closeIfEndless(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || response.headersSent) return;
  const { "content-length": length, "transfer-encoding": chunked } = request.headers;
  if (chunked !== undefined || Number(length ?? 0) > LIMITS.discardBytes)
    response.setHeader("connection", "close");
}
