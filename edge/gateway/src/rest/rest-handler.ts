import type { IncomingMessage, ServerResponse } from "node:http";
import type { DescMethod, DescService, Message, Registry } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import {
  JobsService,
  type SubmitJobResponse,
  type WatchJobResponse,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { faultFrom, toConnectError } from "@orrery/mesh/fault/wire";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { type Call, createTranscoder, type Transcoder } from "@orrery/transcoder";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import type { EdgeCall } from "../dispatch/edge-call.ts";
import { takesAnything } from "../http/accept.ts";
import { closeIfEndless, FIRST_ERROR, sendStream, sendWhole, wholeBody } from "../http/answer.ts";
import { currentExchange, type Exchange } from "../http/exchange.ts";
import { bodyLimitBytes, LIMITS } from "../http/limits.ts";
import { preferredWaitSeconds } from "../http/prefer.ts";
import { faultHeaders, faultOf, problemDocument } from "../http/problem.ts";
import { requestBody } from "../http/request-body.ts";
import { bodyFieldNames } from "./body-field.ts";
import { EarlyHead } from "./early-head.ts";
import { waitForEnd } from "./submit-and-wait.ts";
import { successHead } from "./success-head.ts";

/** Answers the requests of the REST API, by the HTTP rules of the protos. */
export interface RestHandler {
  readonly routes: Transcoder["routes"];
  handle(
    exchange: Exchange,
    http: { request: IncomingMessage; response: ServerResponse; expectsContinue: boolean },
  ): Promise<void>;
}

export interface RestHandlerOptions {
  readonly registry: Registry;
  readonly services: readonly DescService[];
  readonly dispatcher: Dispatcher;
  readonly publicUrl: string;
  readonly logger: Logger;
  /** Aborted when the gateway stops: streams then end, and their clients come back by `Last-Event-ID`. */
  readonly shutdownSignal: AbortSignal;
}

/** The REST API over the transcoder, which calls the dispatcher. */
export function createRestHandler(options: RestHandlerOptions): RestHandler {
  const transcoder = createTranscoder({
    registry: options.registry,
    services: options.services,
    call: restStream(options),
    unary: (method, request, context) => restUnary(options, method, request, context.signal),
    problem: (error) => {
      const exchange = exchangeNow();
      const fault = asWritten(faultOf(error), exchange);
      exchange.fault = fault;
      Object.assign(exchange.answerHeaders, faultHeaders(fault));
      return problemDocument(fault, {
        edge: options.publicUrl,
        instance: exchange.path,
        traceId: exchange.traceId,
      });
    },
    success: (method, message) => successHead(method, message, exchangeNow().waitedToTheEnd),
    sse: (_method, message) => {
      const { id, event } = message as WatchJobResponse;
      return { id, event };
    },
    limits: {
      bodyBytes: LIMITS.bodyBytes,
      headerBytes: LIMITS.headerBytes * 2,
      targetBytes: LIMITS.headerBytes,
      jsonDepth: LIMITS.bodyLevels,
      jsonKeys: LIMITS.bodyValues,
      jsonValues: LIMITS.bodyValues,
      streamOpenMs: LIMITS.streamOpenMs,
    },
    bodyLimitBytes,
  });
  const asWritten = bodyFieldNames(transcoder.routes);
  return {
    routes: transcoder.routes,
    handle: (exchange, http) => currentExchange.run(exchange, () => answer(transcoder, exchange, http)),
  };
}

async function answer(
  transcoder: Transcoder,
  exchange: Exchange,
  http: { request: IncomingMessage; response: ServerResponse; expectsContinue: boolean },
): Promise<void> {
  const { request, response } = http;
  const early = new EarlyHead(exchange, response);
  exchange.onAdmitted = () => early.schedule();
  const transcoded = await transcoder.handle({
    method: exchange.httpMethod,
    target: exchange.target,
    headers: headersForTranscoder(exchange),
    body: requestBody(request, response, http.expectsContinue),
    signal: exchange.signal,
  });
  early.cancel();
  if (response.destroyed) return;
  exchange.answerHeaders["cache-control"] ??= "no-store";
  if (response.headersSent) return early.continueWith(transcoded);
  // A watch that is resumed at its end has nothing more to say, and 204 tells an EventSource not to come
  // back.
  if (exchange.endedEmpty && isEventStream(transcoded.headers)) {
    return sendWhole(exchange, response, { status: 204, headers: {}, body: "" });
  }
  if (transcoded.status >= FIRST_ERROR) closeIfEndless(request, response);
  if (exchange.streaming && transcoded.status === 200) return sendStream(exchange, response, transcoded);
  const { status, headers } = transcoded;
  await sendWhole(exchange, response, {
    status,
    headers,
    body: transcoded.text ?? (await wholeBody(transcoded.body)),
  });
}

/** The seam of the transcoder for streams: one RPC of the dispatcher, in the name of the exchange's caller. */
function restStream(options: RestHandlerOptions): Call {
  return async function* (method, requests, context) {
    const exchange = exchangeNow();
    exchange.streaming = true;
    try {
      let empty = true;
      const signal = AbortSignal.any([context.signal, options.shutdownSignal]);
      for await (const message of options.dispatcher.stream(method, requests, {
        ...callOf(exchange, signal),
        onAdmitted: () => exchange.onAdmitted?.(),
      })) {
        empty = false;
        yield message;
      }
      exchange.endedEmpty = empty;
    } catch (error) {
      if (options.shutdownSignal.aborted) return;
      throw refusalOf(error);
    }
  };
}

/** The same for one message each way. */
async function restUnary(
  options: RestHandlerOptions,
  method: DescMethod,
  request: Message,
  signal: AbortSignal,
): Promise<Message> {
  const exchange = exchangeNow();
  try {
    return await unaryAnswer(options, exchange, { method, request, call: callOf(exchange, signal) });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** By way of a fault, so that the problem hook can tell a service's refusal from the transcoder's own. */
function refusalOf(error: unknown): ConnectError {
  return toConnectError(faultFrom(error));
}

async function unaryAnswer(
  { dispatcher, logger }: RestHandlerOptions,
  exchange: Exchange,
  { method, request, call }: { method: DescMethod; request: Message; call: EdgeCall },
): Promise<Message> {
  const answered = await dispatcher.unary(method, request, call);
  tellReplay(exchange, answered);
  if (method !== JobsService.method.submitJob) return answered;
  const waitSeconds = preferredWaitSeconds(exchange.header("prefer"));
  if (waitSeconds === undefined) return answered;
  exchange.answerHeaders["preference-applied"] = `wait=${waitSeconds}`;
  const waited = await waitForEnd({ dispatcher, logger }, answered as SubmitJobResponse, {
    call,
    waitMs: waitSeconds * 1_000,
  });
  exchange.waitedToTheEnd = waited.ended;
  return waited.answer;
}

/** Says in a header that an answer is a stored one, and nowhere else: the body is that of the first answer. */
function tellReplay(exchange: Exchange, answer: Message): void {
  if (!("replayed" in answer && answer.replayed === true)) return;
  exchange.answerHeaders["idempotency-replayed"] = "true";
  answer.replayed = false;
}

function callOf(exchange: Exchange, signal: AbortSignal): EdgeCall {
  const { caller, header, correlationId, traceparent, traceId, path } = exchange;
  if (caller === undefined) throw new Error("a call came before its caller was known");
  const length = Number(header("content-length"));
  return {
    caller,
    header,
    correlationId,
    traceparent,
    traceId,
    signal,
    instance: path,
    bodyBytes: Number.isNaN(length) ? undefined : length,
  };
}

function exchangeNow(): Exchange {
  const exchange = currentExchange.getStore();
  if (exchange === undefined) throw new Error("the transcoder called outside of an exchange");
  return exchange;
}

/** A watch whose client leaves the form open is an event stream, as EventSource and curl expect it. */
function headersForTranscoder({ headers, path, header }: Exchange): Exchange["headers"] {
  if (!path.endsWith(":watch") || !takesAnything(header("accept"))) return headers;
  return { ...headers, accept: "text/event-stream" };
}

function isEventStream(headers: Record<string, string | string[]>): boolean {
  return String(headers["content-type"]).startsWith("text/event-stream");
}
