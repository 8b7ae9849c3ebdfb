import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Duplex } from "node:stream";
import { Fault } from "@orrery/mesh/fault/fault";
import type { IdentityFiles } from "@orrery/mesh/identity/identity-files";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Clock } from "@orrery/mesh/time/clock";
import type { Admission } from "../auth/admission.ts";
import type { UnsentBytes } from "../dispatch/unsent-bytes.ts";
import type { RestHandler } from "../rest/rest-handler.ts";
import type { ConnectHandler } from "../rpc/connect-handler.ts";
import { sendFault, sendWhole } from "./answer.ts";
import { answerClientError } from "./client-error.ts";
import { type Exchange, openExchange } from "./exchange.ts";
import { LIMITS } from "./limits.ts";
import { findPage, type PageHandler, type PageTable } from "./pages.ts";
import { faultOf } from "./problem.ts";
import type { RequestRecorder } from "./request-record.ts";
import { inRequestSpan, type RequestSpan } from "./request-span.ts";

export interface HttpServerOptions {
  readonly pages: PageTable;
  readonly rest: RestHandler;
  readonly connect: ConnectHandler;
  readonly admission: Admission;
  readonly recorder: RequestRecorder;
  readonly unsent: UnsentBytes;
  readonly publicUrl: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** TLS for the port; cleartext without it. */
  readonly identity?: IdentityFiles;
  /** Ended when the drain begins: from then on each answer is the last of its connection, and says so. */
  readonly shutdownSignal: AbortSignal;
}

interface Http {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly expectsContinue: boolean;
  readonly span: RequestSpan;
}

/** The one HTTP port: pages, REST, SSE, Connect and gRPC-Web. Not yet listening. */
export function createHttpServer(options: HttpServerOptions): Server {
  const settings = {
    maxHeaderSize: LIMITS.headerBytes,
    headersTimeout: LIMITS.headersTimeoutMs,
    requestTimeout: LIMITS.requestTimeoutMs,
    connectionsCheckingInterval: LIMITS.slowClientCheckMs,
    keepAliveTimeout: LIMITS.keepAliveMs,
    // Node would refuse a request without Host in a form of its own; it is refused below in ours.
    requireHostHeader: false,
    noDelay: true,
  };
  const server =
    options.identity === undefined ? createServer(settings) : tlsServer(settings, options.identity);
  server.maxConnections = LIMITS.connections;
  server.timeout = LIMITS.silenceMs;
  const latest = new WeakMap<Duplex, ServerResponse>();
  closeAfterAnswers(server, options.shutdownSignal, latest);
  const serve = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) => {
    latest.set(request.socket, response);
    if (options.shutdownSignal.aborted) response.shouldKeepAlive = false;
    inRequestSpan(request, (span) => {
      const answered = answerRequest(options, { request, response, expectsContinue, span });
      // What fails in telling a failure ends that connection, never the process.
      answered.catch(() => response.destroy());
    });
  };
  const refuse = (error: Error, socket: Duplex) =>
    answerClientError(error, socket, { ...options, underWay: latest.get(socket) });
  server.on("request", (request, response) => serve(request, response, false));
  server.on("checkContinue", (request, response) => serve(request, response, true));
  server.on("checkExpectation", (request, response) => serve(request, response, false));
  server.on("clientError", refuse);
  server.on("connect", (_request, socket) => {
    // Node takes its own listeners off such a socket: what breaks it would end the process, and nothing its silence.
    socket.on("error", () => socket.destroy());
    socket.once("finish", () => socket.destroy());
    refuse(new Error("CONNECT is for proxies"), socket);
  });
  return server;
}

/** From the signal on each answer is the last of its connection; those under way without a head are so as well. */
function closeAfterAnswers(
  server: Server,
  shutdown: AbortSignal,
  latest: WeakMap<Duplex, ServerResponse>,
): void {
  const open = new Set<Duplex>();
  const opened = (socket: Duplex) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  };
  // Over TLS a request's socket is the one inside.
  server.on("connection", opened).on("secureConnection", opened);
  const close = () => {
    for (const socket of open) {
      const underWay = latest.get(socket);
      if (underWay !== undefined) underWay.shouldKeepAlive = false;
    }
  };
  shutdown.addEventListener("abort", close, { once: true });
}

async function answerRequest(options: HttpServerOptions, http: Http): Promise<void> {
  const { request, response } = http;
  const exchange = openExchange(request, response, options);
  options.recorder.record(exchange, response, http.span);
  try {
    await route(options, exchange, http);
  } catch (error) {
    const fault = faultOf(error);
    if (fault.reason === "INTERNAL") {
      options.logger.error("a request failed", {
        error: error instanceof Error ? error.stack : String(error),
      });
    }
    if (response.headersSent) response.destroy();
    else await sendFault(exchange, request, response, { fault, publicUrl: options.publicUrl });
  }
}

async function route(options: HttpServerOptions, exchange: Exchange, http: Http): Promise<void> {
  requireHost(exchange, http.request);
  const found = findPage(options.pages, exchange.path);
  if (found !== undefined) {
    exchange.label = found.label;
    return sendPage(exchange, http.response, found.page);
  }
  if (options.connect.serves(exchange.path)) return options.connect.handle(exchange, http);
  if (isApiPath(exchange.path)) options.admission.admit(exchange);
  await options.rest.handle(exchange, http);
}

/** What was found to be a host last: a client sends the same one each time. */
let soundHost = "";

function requireHost({ headers: { host } }: Exchange, { httpVersion, url = "/" }: IncomingMessage): void {
  if (host === undefined && httpVersion === "1.1")
    throw new Fault("INVALID_REQUEST", { detail: "An HTTP/1.1 request needs a Host header." });
  if (host !== undefined && host !== soundHost) {
    if (host !== "" && !URL.canParse(`http://${host}`))
      throw new Fault("INVALID_REQUEST", { detail: "Host: has to be a host, and a port where it has one." });
    soundHost = host;
  }
  if (!url.startsWith("/") && url !== "*" && !URL.canParse(url))
    throw new Fault("INVALID_REQUEST", { detail: "The request target is not an address." });
}

// As the router reads it, which decodes each segment: a path that it takes for ours needs a key however it is
// written.
function isApiPath(path: string): boolean {
  if (path.startsWith("/v1/")) return true;
  const [, first = ""] = path.split("/", 2);
  try {
    return decodeURIComponent(first) === "v1";
  } catch {
    return false;
  }
}

async function sendPage(exchange: Exchange, response: ServerResponse, page: PageHandler): Promise<void> {
  if (exchange.httpMethod !== "GET" && exchange.httpMethod !== "HEAD") {
    exchange.answerHeaders.allow = "GET, HEAD";
    throw new Fault("METHOD_NOT_ALLOWED", {
      detail: `This path takes GET and HEAD, not ${exchange.httpMethod}.`,
    });
  }
  await sendWhole(exchange, response, await page(exchange));
}

function tlsServer(settings: object, identity: IdentityFiles): Server {
  const keys = () => {
    const { keyPem, certPem } = identity.current();
    return { key: keyPem, cert: certPem };
  };
  const server = createTlsServer({ ...settings, ...keys(), minVersion: "TLSv1.2" });
  const stop = identity.onChange(() => server.setSecureContext(keys()));
  server.once("close", stop);
  return server;
}
