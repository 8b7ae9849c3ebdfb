import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
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
}

/** Sends an answer, compressed where it is worth it and the client takes it. */
export async function sendWhole(
  exchange: Exchange,
  response: ServerResponse,
  answer: WholeAnswer,
): Promise<void> {
  const { status, body } = answer;
  const bytes = typeof body === "string" ? Buffer.byteLength(body) : body.length;
  const worthIt = bytes >= LIMITS.compressFromBytes;
  const smaller =
    worthIt && !answer.headers["content-encoding"]
      ? await compressed(body, exchange.header("accept-encoding"))
      : undefined;
  if (response.destroyed || response.headersSent) return;
  // A large read can still be refused in its place; a write has been carried out, and its connection is cut if need be.
  if (worthIt && status < FIRST_ERROR && READS.has(exchange.httpMethod))
    exchange.unsent.requireRoom(exchange.caller);
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
const READS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** Counts what the kernel did not take of an answer at its end. */
function countRest(exchange: Exchange, response: ServerResponse): void {
  if (response.writableLength > 0) holdUnsent(exchange, response, response.writableLength);
}

/**
 * Counts bytes of an answer that wait for its client, until they are out, the client is gone, or it is disposed of.
 *
 * @throws Fault as `UnsentBytes.hold`; the connection is cut, as more would only wait as well
 */
function holdUnsent(exchange: Exchange, response: ServerResponse, bytes: number): Disposable {
  try {
    const held = exchange.unsent.hold(exchange.caller, bytes);
    const over = (): void => {
      response.off("finish", over).off("close", over);
      held[Symbol.dispose]();
    };
    response.once("finish", over).once("close", over);
    return { [Symbol.dispose]: over };
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/** A body that is sent as it is made, with what waits of it counted: its sender asks for more when that is out. */
export async function* counted(
  exchange: Exchange,
  response: ServerResponse,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    // A refusal is small, and is what there is to say to whoever does not read.
    using _waiting =
      exchange.fault === undefined
        ? holdUnsent(exchange, response, response.writableLength + chunk.length)
        : undefined;
    yield chunk;
  }
  if (exchange.fault === undefined) countRest(exchange, response);
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
    await pipeline(
      Readable.from(counted(exchange, response, body), { objectMode: true, highWaterMark: 1 }),
      response,
    );
  } catch {
    // The client went away, or the source failed after the head: either way nobody is left to be told.
    response.destroy();
  }
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
