import {
  createServer as createPlainServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import { TLSSocket } from "node:tls";
import type { Address } from "../config/read-config.ts";
import { DEFAULT_TRUST_DOMAIN } from "../config/service-config.ts";
import type { IdentityFiles } from "../identity/identity-files.ts";
import {
  LINKERD_CLIENT_HEADER,
  workloadFromCertificate,
  workloadFromDnsName,
} from "../identity/peer-identity.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { tlsContext } from "../transport/connections.ts";
import type { AdminInboxes } from "./admin-inbox.ts";
import type { Health } from "./health.ts";

/** A page of the admin port. */
export interface AdminPage {
  readonly contentType: string;
  body(): string | Promise<string>;
}

/** What an admin port is made of. */
export interface AdminServerOptions {
  readonly address: Address;
  readonly health: Health;
  readonly metrics: Metrics;
  /** Further pages by path, for the identities on the list only; looked up at each request. */
  readonly pages?: Readonly<Record<string, AdminPage>> | undefined;
  /** What may be posted to, and by whom; nothing unless given. */
  readonly inboxes?: AdminInboxes | undefined;
  readonly identitySource: "tls" | "linkerd";
  /** Needed with `tls`. */
  readonly identity?: IdentityFiles | undefined;
  readonly trustDomain?: string | undefined;
}

/** Who may read metrics, documents and the details of readiness. */
export const ADMIN_READERS: ReadonlySet<string> = new Set(["operator", "prometheus"]);

const LIVE = new Set(["/healthz", "/health/live"]);
const READY = new Set(["/readyz", "/health/ready"]);
const PLAIN = "text/plain; charset=utf-8";
const LIMIT_MS = 5_000;
const HEADER_LIMIT_BYTES = 8_192;

/**
 * Opens the admin port: liveness and readiness for anyone who reaches it, everything else for
 * `ADMIN_READERS`.
 *
 * A client certificate is asked for and not required, so a name in it counts only after the handshake has
 * verified it.
 *
 * @throws Error when the address cannot be had
 */
export async function listenAdmin(
  options: AdminServerOptions,
): Promise<{ address: Address; close(): Promise<void> }> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    respond(options, request, response).catch(() => response.destroy());
  };
  const { server, release } = serverOf(options, answer);
  server.requestTimeout = LIMIT_MS;
  server.headersTimeout = LIMIT_MS;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: options.address.host, port: options.address.port }, resolve);
  await promise;
  const bound = server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : options.address.port;
  return {
    address: { host: options.address.host, port },
    close: async () => {
      release();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

function serverOf(
  { identitySource, identity }: AdminServerOptions,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): { server: Server; release: () => void } {
  const limits = { maxHeaderSize: HEADER_LIMIT_BYTES };
  if (identitySource === "linkerd") return { server: createPlainServer(limits, answer), release: () => {} };
  if (identity === undefined) throw new Error("an admin port with identitySource tls needs an identity");
  const tls = createTlsServer(
    { ...limits, ...tlsContext(identity.current()), requestCert: true, rejectUnauthorized: false },
    answer,
  );
  return { server: tls, release: identity.onChange((next) => tls.setSecureContext(tlsContext(next))) };
}

async function respond(
  options: AdminServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const send = (status: number, contentType: string, body: string): void => {
    response.writeHead(status, { "content-type": contentType, "cache-control": "no-store" });
    response.end(request.method === "HEAD" ? undefined : body);
  };
  const [path = "/"] = (request.url ?? "/").split("?");
  if (request.method === "POST") {
    const reply = await options.inboxes?.receive(path, request, callerOf(request, options));
    // What was refused may not have been read: the connection cannot be used again.
    if (reply !== undefined && !request.complete) response.setHeader("connection", "close");
    if (reply !== undefined) return send(reply.status, PLAIN, `${reply.text}\n`);
  }
  if (request.method !== "GET" && request.method !== "HEAD") return send(405, PLAIN, "method not allowed\n");
  if (LIVE.has(path)) return send(200, PLAIN, "ok\n");
  const isReader = ADMIN_READERS.has(callerOf(request, options) ?? "");
  if (READY.has(path)) {
    const ready = options.health.ready();
    return isReader
      ? send(ready ? 200 : 503, "application/json", detailsOf(options.health))
      : send(ready ? 200 : 503, PLAIN, ready ? "ready\n" : "not ready\n");
  }
  const page = path === "/metrics" ? metricsPage(options.metrics) : pageOf(options, path);
  if (page === undefined) return send(404, PLAIN, "not found\n");
  if (!isReader) return send(403, PLAIN, "forbidden\n");
  return send(200, page.contentType, await page.body());
}

const metricsPage = ({ registry }: Metrics): AdminPage => ({
  contentType: registry.contentType,
  body: () => registry.metrics(),
});

/** Looked up at each request: a service adds its pages after the port is open. */
function pageOf({ pages = {} }: AdminServerOptions, path: string): AdminPage | undefined {
  return Object.hasOwn(pages, path) ? pages[path] : undefined;
}

function detailsOf(health: Health): string {
  const checks = health.details().map(({ name, ok, problem }) => ({ name, ok, ...(ok ? {} : { problem }) }));
  return `${JSON.stringify({ ready: health.ready(), checks }, undefined, 2)}\n`;
}

function callerOf(request: IncomingMessage, options: AdminServerOptions): string | undefined {
  const trustDomain = options.trustDomain ?? DEFAULT_TRUST_DOMAIN;
  if (options.identitySource === "linkerd") {
    const header = request.headers[LINKERD_CLIENT_HEADER];
    return typeof header === "string" ? workloadFromDnsName(header, trustDomain) : undefined;
  }
  const { socket } = request;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  return workloadFromCertificate(socket.getPeerCertificate().subjectaltname, trustDomain);
}
