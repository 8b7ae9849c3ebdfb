import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  Registry,
} from "@bufbuild/protobuf";
import {
  type ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import {
  createAsyncIterable,
  encodeEnvelope,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import {
  createEndStreamSerialization,
  endStreamFlag,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus, trailerFlag, trailerSerialize } from "@connectrpc/connect/protocol-grpc-web";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { Fault } from "@orrery/mesh/fault/fault";
import { toConnectError } from "@orrery/mesh/fault/wire";
import type { Admission } from "../auth/admission.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { EdgeCall } from "../dispatch/edge-call.ts";
import { isServerStreaming, isUnary } from "../dispatch/method-kinds.ts";
import { counted } from "../http/answer.ts";
import type { Exchange } from "../http/exchange.ts";
import { bodyLimitBytes, LIMITS } from "../http/limits.ts";
import { faultOf } from "../http/problem.ts";
import { requestBody } from "../http/request-body.ts";
import { notTheMessage } from "./edge-handlers.ts";

/** Answers Connect and gRPC-Web on the HTTP port, at `/<package>.<Service>/<Method>`. */
export interface ConnectHandler {
  serves(path: string): boolean;
  handle(
    exchange: Exchange,
    http: { request: IncomingMessage; response: ServerResponse; expectsContinue: boolean },
  ): Promise<void>;
}

const exchangeKey = createContextKey<Exchange | undefined>(undefined);

/** Serves every RPC but the bidirectional ones, which HTTP/1.1 cannot carry: those are on the gRPC port. */
export function createConnectHandler(options: {
  methods: Iterable<DescMethod>;
  dispatcher: Dispatcher;
  admission: Admission;
  registry: Registry;
  shutdownSignal: AbortSignal;
}): ConnectHandler {
  const router = createConnectRouter({
    connect: true,
    grpcWeb: true,
    grpc: false,
    // Runs before the body is read, so that a caller without a key costs no more than its headers.
    requestGate: (context) => {
      const exchange = exchangeOf(context);
      exchange.label = new URL(context.url).pathname;
      asConnectError(() => options.admission.admit(exchange), exchange);
    },
    acceptCompression: [compressionGzip, compressionBrotli],
    jsonOptions: {
      ...{ ignoreUnknownFields: false, alwaysEmitImplicit: true, registry: options.registry },
      recursionLimit: LIMITS.messageLevels,
    },
    binaryOptions: { recursionLimit: LIMITS.messageLevels },
    maxTimeoutMs: LIMITS.callTimeoutMs,
    shutdownSignal: options.shutdownSignal,
  });
  for (const method of options.methods) register(router, method, options.dispatcher);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return {
    serves: (path) => handlers.has(path),
    handle: async (exchange, { request, response, expectsContinue }) => {
      const handler = handlers.get(exchange.path);
      if (handler === undefined) return;
      if (!exchange.headers.host)
        throw new Fault("INVALID_REQUEST", { detail: "Host: has to name the host." });
      const values = createContextValues().set(exchangeKey, exchange);
      const asked = universalRequestFromNodeRequest(request, response, undefined, values);
      const body = requestBody(request, response, expectsContinue);
      const answered = await handler({ ...asked, body });
      if (answered.status === 405 || answered.status === 415) throw wrongForm(answered.status, exchange);
      await send(await blamed(answered, handler.method, exchange), exchange, response);
    },
  };
}

async function send(
  answered: UniversalServerResponse,
  exchange: Exchange,
  response: ServerResponse,
): Promise<void> {
  for (const [name, value] of Object.entries(exchange.answerHeaders)) response.setHeader(name, value);
  const body = answered.body && { body: counted(exchange, response, answered.body) };
  try {
    await universalResponseToNodeResponse({ ...answered, ...body }, response);
  } catch (error) {
    throw error instanceof Error && error.cause instanceof Fault ? error.cause : error;
  }
}

// connect-es answers these without a body, before it knows in which protocol: they get the form of every
// other error.
function wrongForm(status: 405 | 415, exchange: Exchange): Fault {
  if (status === 415) return new Fault("UNSUPPORTED_MEDIA_TYPE", { detail: "No RPC takes this media type." });
  exchange.answerHeaders.allow = "POST";
  return new Fault("METHOD_NOT_ALLOWED", { detail: `RPCs take POST, not ${exchange.httpMethod}.` });
}

/**
 * connect-es answers INTERNAL, a 500, for bytes that it cannot decode, with its parser's words. They are the
 * caller's, so the answer says so. Such an answer is told from a failure of ours by its text: ours all pass
 * by `noted`.
 */
async function blamed(
  answered: UniversalServerResponse,
  method: DescMethod,
  exchange: Exchange,
): Promise<UniversalServerResponse> {
  if (exchange.fault !== undefined || answered.body === undefined) return answered;
  if (FRAMES.test(answered.header?.get("content-type") ?? ""))
    return { ...answered, body: blamedFrames(answered.body, method, exchange) };
  if (answered.status !== 500) return answered;
  const body = await buffer(answered.body);
  if (!body.includes('"message":"parse binary: ')) return { ...answered, body: createAsyncIterable([body]) };
  exchange.fault = notTheMessage(method);
  const refusal = errorToJsonBytes(toConnectError(exchange.fault), undefined);
  answered.header?.set("content-length", String(refusal.byteLength));
  return { ...answered, status: 400, body: createAsyncIterable([refusal]) };
}

/** The types of answers that come in frames, the last of which says how the call ended. */
const FRAMES = /^application\/(?:grpc-web|connect\+)/;

/** The same for an answer in frames: it says in its last one what went wrong. */
async function* blamedFrames(
  frames: AsyncIterable<Uint8Array>,
  method: DescMethod,
  exchange: Exchange,
): AsyncGenerator<Uint8Array, void> {
  for await (const frame of frames) {
    if (exchange.fault !== undefined || !tellsOfParser(frame)) {
      yield frame;
      continue;
    }
    exchange.fault = notTheMessage(method);
    yield lastFrame(frame[0], toConnectError(exchange.fault));
  }
}

function tellsOfParser(frame: Uint8Array): boolean {
  const text = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (frame[0] === trailerFlag) return text.includes("grpc-message: parse%20binary%3A%20");
  return frame[0] === endStreamFlag && text.includes('"message":"parse binary: ');
}

function lastFrame(flag: number | undefined, error: ConnectError): Uint8Array {
  const metadata = new Headers();
  if (flag === endStreamFlag)
    return encodeEnvelope(flag, createEndStreamSerialization(undefined).serialize({ metadata, error }));
  setTrailerStatus(metadata, error);
  return encodeEnvelope(trailerFlag, trailerSerialize(metadata));
}

function register(router: ConnectRouter, method: DescMethod, dispatcher: Dispatcher): void {
  const limits = { readMaxBytes: Math.min(bodyLimitBytes(method), LIMITS.uncountedBodyBytes) };
  if (isUnary(method)) {
    const unary: MethodImpl<DescMethodUnary<DescMessage, DescMessage>> = async (request, context) => {
      const exchange = exchangeOf(context);
      try {
        return await dispatcher.unary(method, request, callOf(exchange, context));
      } catch (error) {
        throw noted(error, exchange);
      }
    };
    router.rpc(method, unary, limits);
  } else if (isServerStreaming(method)) {
    const stream: MethodImpl<DescMethodServerStreaming<DescMessage, DescMessage>> = async function* (
      request,
      context,
    ) {
      const exchange = exchangeOf(context);
      try {
        yield* dispatcher.stream(method, createAsyncIterable([request]), callOf(exchange, context));
      } catch (error) {
        throw noted(error, exchange);
      }
    };
    router.rpc(method, stream, limits);
  }
}

function callOf(exchange: Exchange, context: HandlerContext): EdgeCall {
  const { header, correlationId, traceparent, traceId, path } = exchange;
  if (exchange.caller === undefined) throw new Error("a call came before its caller was known");
  return {
    caller: exchange.caller,
    header,
    correlationId,
    traceparent,
    traceId,
    instance: path,
    signal: context.signal,
    timeoutMs: context.timeoutMs(),
  };
}

function exchangeOf(context: HandlerContext): Exchange {
  const exchange = context.values.get(exchangeKey);
  if (exchange === undefined) throw new Error("a Connect call came without its exchange");
  return exchange;
}

function asConnectError(action: () => unknown, exchange: Exchange): void {
  try {
    action();
  } catch (error) {
    throw noted(error, exchange);
  }
}

function noted(error: unknown, exchange: Exchange): Error {
  exchange.fault = faultOf(error);
  return toConnectError(exchange.fault);
}
