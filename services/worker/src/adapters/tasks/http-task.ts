import { lookup } from "node:dns/promises";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import type { JsonValue } from "@bufbuild/protobuf";
import { type HttpInput, httpInput } from "./http-input.ts";
import type { HttpPermission } from "./http-permission.ts";
import { stopped, type TaskContext, TaskFailure, type TaskHandler } from "./task.ts";

const BODY_LIMIT_BYTES = 192 * 1024;
/** Of an answer that is no success its beginning is told. */
const REFUSAL_CHARACTERS = 500;
const RETRY_AFTER_LIMIT_MS = 24 * 3_600_000;

/** Resolves a name to all of its addresses. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const resolveByDns: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);

/**
 * `orrery.http`: one request, `{ "url", "method"?, "headers"?, "body"?, "timeoutMs"? }`, to an address that
 * the permission admits; its output is `{ "status", "headers", "body" }` of an answer from 200 to 299.
 *
 * The name is resolved once, every address of it is checked, and the connection goes to the address that was
 * checked (a second look-up could answer otherwise). No redirect is followed. The request carries
 * `Idempotency-Key`, the same in every attempt.
 */
export function httpTask(permission: HttpPermission, resolve: Resolve = resolveByDns): TaskHandler {
  return async (input, context) => {
    const asked = httpInput(input);
    const limit = AbortSignal.timeout(asked.timeoutMs);
    const signal = AbortSignal.any([limit, context.signal]);
    try {
      const address = await unlessAborted(signal, permittedAddress(asked.url, permission, resolve));
      const answer = await send(asked, address, context, signal);
      return await outputFrom(answer);
    } catch (error) {
      if (context.signal.aborted) throw stopped();
      if (limit.aborted)
        throw new TaskFailure("HTTP_TIMEOUT", `no answer in ${asked.timeoutMs} ms`, { retryable: true });
      if (error instanceof TaskFailure) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? "no code";
      throw new TaskFailure("HTTP_CONNECTION", `the request failed (${code})`, { retryable: true });
    }
  };
}

/** Waits for a look-up, which cannot be called off: what it finds too late is dropped. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** One address that the whole name may be reached at. A name with a single forbidden address is refused. */
async function permittedAddress(url: URL, permission: HttpPermission, resolve: Resolve): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const addresses = isIP(host) > 0 ? [host] : await resolved(host, resolve);
  if (addresses.every((address) => permission.permits(host, port, address))) {
    const [address] = addresses;
    if (address !== undefined) return address;
  }
  const message = `${url.host} is not among the addresses that ORRERY_HTTP_ALLOW permits`;
  throw new TaskFailure("ADDRESS_REFUSED", message, { retryable: false });
}

async function resolved(host: string, resolve: Resolve): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const retryable = code !== "ENOTFOUND";
    throw new TaskFailure("HTTP_NAME", `the name ${host} could not be resolved (${code})`, { retryable });
  }
}

function send(
  asked: HttpInput,
  address: string,
  context: TaskContext,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const request = asked.url.protocol === "https:" ? requestHttps : requestHttp;
  const headers = {
    "user-agent": "orrery-worker",
    accept: "application/json, */*;q=0.5",
    "idempotency-key": context.idempotencyKey,
    ...(context.correlationId === "" ? {} : { "x-correlation-id": context.correlationId }),
    ...(context.traceparent === "" ? {} : { traceparent: context.traceparent }),
    ...asked.headers,
    ...(asked.body === undefined ? {} : { "content-length": String(Buffer.byteLength(asked.body)) }),
  };
  return new Promise((answered, failed) => {
    const sent = request(asked.url, {
      method: asked.method,
      headers,
      signal,
      agent: false,
      // The look-up was made and checked before: the connection goes to that address and no other.
      lookup: (_host, options, found) => {
        const family = isIP(address);
        if (options.all) found(null, [{ address, family }]);
        else found(null, address, family);
      },
    });
    sent.on("response", answered).on("error", failed);
    sent.end(asked.body);
  });
}

async function outputFrom(answer: IncomingMessage): Promise<JsonValue> {
  const status = answer.statusCode ?? 0;
  if (status >= 200 && status < 300)
    return { status, headers: headersOf(answer), body: bodyFrom(answer, await bodyOf(answer)) };
  const redirect = status >= 300 && status < 400 ? "; redirects are not followed" : "";
  const why = await beginningOf(answer);
  throw new TaskFailure("HTTP_STATUS", `answered ${status}${redirect}: ${why}`, {
    retryable: status === 408 || status === 425 || status === 429 || status >= 500,
    retryAfterMs: retryAfterMs(answer),
  });
}

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_LIMIT_BYTES) {
      answer.destroy();
      const message = `the answer is over ${BODY_LIMIT_BYTES} bytes`;
      throw new TaskFailure("HTTP_BODY_TOO_LARGE", message, { retryable: false });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** What is left of the answer is not read: leaving the loop ends it. */
async function beginningOf(answer: IncomingMessage): Promise<string> {
  let text = "";
  answer.setEncoding("utf8");
  for await (const chunk of answer as AsyncIterable<string>) {
    text += chunk;
    if (text.length >= REFUSAL_CHARACTERS) break;
  }
  return text.slice(0, REFUSAL_CHARACTERS).toWellFormed();
}

function bodyFrom(answer: IncomingMessage, text: string): JsonValue {
  if (!/^application\/([a-z0-9.+-]*\+)?json\b/i.test(answer.headers["content-type"] ?? "")) return text;
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return text; // it says JSON and is none: what came is still what was asked for
  }
}

function headersOf(answer: IncomingMessage): JsonValue {
  const headers = Object.entries(answer.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value] as const],
  );
  return Object.fromEntries(headers);
}

/** Retry-After in seconds (RFC 9110, section 10.2.3); a date is left to the job's own backoff. */
function retryAfterMs(answer: IncomingMessage): number | undefined {
  const seconds = answer.headers["retry-after"];
  if (seconds === undefined || !/^\d{1,6}$/.test(seconds)) return undefined;
  return Math.min(RETRY_AFTER_LIMIT_MS, Number(seconds) * 1_000);
}
