import type { DescService, Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { RequestBinder } from "./bind-request.ts";
import { checkHeaderBytes, RequestContext } from "./call-context.ts";
import { TranscoderConfigError } from "./config-error.ts";
import { targetTooLong } from "./fault.ts";
import { type HttpBody, httpBodyOf } from "./http-body.ts";
import { findHttpExtension } from "./http-rule.ts";
import { DEFAULT_LIMITS, type TranscoderLimits } from "./limits.ts";
import { Accept } from "./media-type.ts";
import { QueryBinder } from "./query-parameters.ts";
import { asConnectError, ErrorRenderer } from "./render-error.ts";
import { ResponseRenderer, textResponse, WholeBody, wholeResponse } from "./render-response.ts";
import { headerOf } from "./request-body.ts";
import { RequestMessages } from "./request-messages.ts";
import { parseTarget } from "./request-target.ts";
import { type Route, routesOf } from "./route.ts";
import { type RouteMatch, RouteTable } from "./route-table.ts";
import type {
  Transcoder,
  TranscoderOptions,
  TranscoderRequest,
  TranscoderResponse,
  TranscoderRoute,
} from "./seam.ts";
import {
  framingOf,
  MessageReader,
  rawStreamBody,
  released,
  streamBody,
  streamFormat,
} from "./server-stream.ts";

/**
 * Makes HTTP requests into RPCs, and their answers into HTTP responses, by the `google.api.http` rules in the
 * options of each RPC.
 *
 * Reads all rules now; a request costs no look at a descriptor's options.
 *
 * @throws TranscoderConfigError for the first rule that cannot be served
 * @see https://github.com/googleapis/googleapis/blob/master/google/api/http.proto
 */
export function createTranscoder(options: TranscoderOptions): Transcoder {
  const routes = allRoutes(options);
  const server = new RestServer(options, new RouteTable(routes));
  return { routes: routes.map(publicRoute), handle: (request) => server.handle(request) };
}

function allRoutes({ registry, services }: TranscoderOptions): readonly Route[] {
  const served = services ?? [...registry].filter((type): type is DescService => type.kind === "service");
  return served.flatMap((service) =>
    service.methods.flatMap((method) => {
      const extension = findHttpExtension(registry, method);
      if (extension !== undefined) return routesOf(method, extension);
      if (services === undefined) return [];
      const reason = "neither the registry nor an import has google/api/annotations.proto";
      throw new TranscoderConfigError(`${service.typeName}.${method.name}`, reason);
    }),
  );
}

function publicRoute({ method, httpMethod, template, body, responseBody }: Route): TranscoderRoute {
  return { method, httpMethod, template, body, responseBody };
}

class RestServer {
  readonly #options: TranscoderOptions;
  readonly #limits: TranscoderLimits;
  readonly #table: RouteTable;
  readonly #binder: RequestBinder;
  readonly #responses: ResponseRenderer;
  readonly #errors: ErrorRenderer;

  constructor(options: TranscoderOptions, table: RouteTable) {
    const { registry, bodyLimitBytes = () => undefined } = options;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#table = table;
    const query = new QueryBinder(this.#limits, options.allowedQueryParameters ?? []);
    this.#binder = new RequestBinder({ registry, limits: this.#limits, query, bodyLimitBytes });
    this.#responses = new ResponseRenderer(registry);
    this.#errors = new ErrorRenderer(registry, options.problem);
  }

  async handle(request: TranscoderRequest): Promise<TranscoderResponse> {
    let response: TranscoderResponse;
    try {
      response = await this.#answer(request);
    } catch (error) {
      response = this.#errors.response(
        asConnectError(error, request.signal),
        new Accept(request.headers.accept),
      );
    }
    return request.method === "HEAD" ? withoutBody(response) : response;
  }

  #answer(request: TranscoderRequest): Promise<TranscoderResponse> {
    const { targetBytes, headerBytes } = this.#limits;
    if (request.target.length > targetBytes) throw targetTooLong(targetBytes);
    checkHeaderBytes(request.headers, headerBytes);
    const { path, query } = parseTarget(request.target);
    const match = this.#table.match(request.method, path);
    return match.route.method.methodKind === "server_streaming"
      ? this.#stream(match, query, request)
      : this.#single(match, query, request);
  }

  async #single(match: RouteMatch, query: string, request: TranscoderRequest): Promise<TranscoderResponse> {
    const { route } = match;
    const { unary } = this.#options;
    const { signal } = request;
    const context = new RequestContext(request, signal);
    if (unary !== undefined && route.method.methodKind === "unary") {
      const message = await this.#binder.unary(match, query, request);
      signal?.throwIfAborted();
      return this.#singleResponse(route, await unary(route.method, message, context), context);
    }
    const requests = await this.#requests(match, query, request);
    signal?.throwIfAborted();
    let response: Message | undefined;
    try {
      for await (const message of this.#options.call(route.method, requests, context)) {
        if (response !== undefined) throw new ConnectError("the RPC answered twice", Code.Internal);
        response = message;
      }
    } catch (error) {
      throw requests.failure ?? error;
    }
    if (response === undefined) throw new ConnectError("the RPC did not answer", Code.Internal);
    return this.#singleResponse(route, response, context);
  }

  #singleResponse(route: Route, message: Message, context: RequestContext): TranscoderResponse {
    if (route.rawResponse) {
      const { contentType, data } = httpBodyIn(route, message);
      const { status, headers } = this.#head(route, context, { message, contentType });
      return wholeResponse(status, headers, data);
    }
    const { status, headers } = this.#head(route, context, { message, contentType: "application/json" });
    return textResponse(status, headers, this.#responses.json(route, message));
  }

  async #stream(match: RouteMatch, query: string, request: TranscoderRequest): Promise<TranscoderResponse> {
    const { route } = match;
    const requests = await this.#requests(match, query, request);
    request.signal?.throwIfAborted();
    const lifetime = new Lifetime(request.signal);
    try {
      const context = new RequestContext(request, lifetime.signal);
      const messages = this.#options.call(route.method, requests, context);
      const reader = new MessageReader(messages, lifetime.signal);
      return await this.#streamResponse(route, request, { context, reader, lifetime });
    } catch (error) {
      lifetime.abandon();
      throw error;
    }
  }

  async #streamResponse(
    route: Route,
    request: TranscoderRequest,
    call: StreamCall,
  ): Promise<TranscoderResponse> {
    const { context, reader, lifetime } = call;
    if (route.rawResponse) return this.#rawStreamResponse(route, call);
    const accept = new Accept(request.headers.accept);
    const format = streamFormat(accept);
    const events = format === "text/event-stream";
    const { keepAliveMs, streamOpenMs } = this.#limits;
    const first = await reader.next(format === "application/json" ? undefined : streamOpenMs);
    const ended = first !== "quiet" && first.done === true;
    const message = first === "quiet" || first.done === true ? undefined : first.value;
    const { status, headers } = this.#head(route, context, { message, contentType: format });
    if (events && ended && headerOf(request.headers, "last-event-id") !== undefined) {
      // HTML, server-sent events: 204 is the one answer after which a browser does not connect again.
      lifetime.end();
      return wholeResponse(204, context.responseHeaders, new Uint8Array());
    }
    if (events) headers["cache-control"] ??= "no-cache";
    const framing = framingOf(format, route.method, this.#options.sse);
    const json = (each: Message) => this.#responses.json(route, each);
    const opening = framing.begin + (message === undefined ? "" : framing.message(json(message), message));
    const failure = (error: unknown) => this.#errors.frame(asConnectError(error, request.signal), accept);
    const quiet = events ? keepAliveMs : undefined;
    const body = streamBody({ reader, framing, opening, ended, json, failure, keepAliveMs: quiet });
    return { status, headers, body: released(body, call) };
  }

  async #rawStreamResponse(route: Route, call: StreamCall): Promise<TranscoderResponse> {
    const { context, reader } = call;
    const first = await reader.next();
    const message = first === "quiet" || first.done === true ? undefined : first.value;
    const contentType = message === undefined ? "" : httpBodyIn(route, message).contentType;
    const { status, headers } = this.#head(route, context, { message, contentType });
    const body = rawStreamBody(reader, first, (each) => httpBodyIn(route, each).data);
    return { status, headers, body: released(body, call) };
  }

  /** Binds the request. Everything but the elements of a client stream is bound when this returns. */
  async #requests(match: RouteMatch, query: string, request: TranscoderRequest): Promise<RequestMessages> {
    return match.route.method.methodKind === "client_streaming"
      ? new RequestMessages(this.#binder.stream(match, query, request))
      : new RequestMessages(await this.#binder.unary(match, query, request));
  }

  #head(
    route: Route,
    context: RequestContext,
    { message, contentType }: { message: Message | undefined; contentType: string },
  ) {
    const given = message === undefined ? undefined : this.#options.success?.(route.method, message);
    const headers: TranscoderResponse["headers"] = { ...context.responseHeaders };
    if (contentType !== "") headers["content-type"] = contentType;
    for (const [name, value] of Object.entries(given?.headers ?? {})) headers[name.toLowerCase()] = value;
    return { status: given?.status ?? 200, headers };
  }
}

/** The head alone; a stream behind it is let go. */
async function withoutBody(response: TranscoderResponse): Promise<TranscoderResponse> {
  await response.body[Symbol.asyncIterator]().return?.();
  const { status, headers } = response;
  return { status, headers, body: new WholeBody("") };
}

function httpBodyIn({ method, responseField }: Route, message: Message): HttpBody {
  return httpBodyOf(method.output, responseField, message);
}

interface StreamCall {
  readonly context: RequestContext;
  readonly reader: MessageReader;
  readonly lifetime: Lifetime;
}

/** How long a stream's call lasts: to its own end, or until nobody wants it any more. */
class Lifetime {
  readonly #request: AbortSignal | undefined;
  readonly #controller = new AbortController();
  readonly #abort = () => this.#controller.abort(this.#request?.reason);

  /** @param request - aborts the call as well */
  constructor(request: AbortSignal | undefined) {
    this.#request = request;
    request?.addEventListener("abort", this.#abort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The call has ended. Its signal stays as it is: to abort it now would only cost. */
  end(): void {
    this.#request?.removeEventListener("abort", this.#abort);
  }

  abandon(): void {
    this.end();
    this.#controller.abort();
  }
}
