import type { IncomingMessage, ServerResponse } from "node:http";
import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodUnary,
  Registry,
} from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import { createAsyncIterable, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { Fault } from "@orrery/mesh/fault/fault";
import { toConnectError } from "@orrery/mesh/fault/wire";
import { exactJson } from "@orrery/transcoder";
import type { Admission } from "../auth/admission.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { EdgeCall } from "../dispatch/edge-call.ts";
import { isServerStreaming, isUnary } from "../dispatch/method-kinds.ts";
import { closeIfEndless, counted, sendWhole, wholeBody } from "../http/answer.ts";
import type { Exchange } from "../http/exchange.ts";
import { LIMITS, messageLimitBytes } from "../http/limits.ts";
import { faultOf } from "../http/problem.ts";
import { discardRest, requestBody } from "../http/request-body.ts";
import { reasoned } from "./reasoned-answer.ts";

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
    binaryOptions: { recursionLimit: LIMITS.messageLevels },
    maxTimeoutMs: LIMITS.callTimeoutMs,
    shutdownSignal: options.shutdownSignal,
  });
  for (const method of options.methods) register(router, method, options);
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
      const reply = await reasoned(answered, handler.method, exchange);
      closeIfEndless(request, response);
      if (!request.complete) response.once("finish", () => discardRest(request));
      if (!isUnary(handler.method)) return sendMessages(reply, exchange, response);
      await sendWhole(exchange, response, {
        status: reply.status,
        headers: Object.fromEntries(reply.header ?? []),
        body: await wholeBody(reply.body ?? []),
        refusable: options.dispatcher.reads(handler.method),
      });
    },
  };
}

async function sendMessages(
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

function register(
  router: ConnectRouter,
  method: DescMethod,
  { dispatcher, registry }: { readonly dispatcher: Dispatcher; readonly registry: Registry },
): void {
  const reading = { readMaxBytes: messageLimitBytes(method), jsonOptions: jsonOptions(method, registry) };
  if (isUnary(method)) {
    const unary: MethodImpl<DescMethodUnary<DescMessage, DescMessage>> = async (request, context) => {
      const exchange = exchangeOf(context);
      try {
        return await dispatcher.unary(method, request, callOf(exchange, context));
      } catch (error) {
        throw noted(error, exchange);
      }
    };
    router.rpc(method, unary, reading);
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
    router.rpc(method, stream, reading);
  }
}

/** How JSON is read and written. What REST refuses of it is refused here where connect-es decodes its bytes. */
function jsonOptions(method: DescMethod, registry: Registry) {
  const { bodyLevels, bodyValues } = LIMITS;
  const limits = { jsonDepth: bodyLevels, jsonKeys: bodyValues, jsonValues: bodyValues };
  const decode = (bytes: Uint8Array): string => {
    try {
      return exactJson(method.input, bytes, { registry, limits });
    } catch (error) {
      throw toConnectError(faultOf(error));
    }
  };
  return { ignoreUnknownFields: false, alwaysEmitImplicit: true, registry, textDecoder: { decode } };
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
