import type { Server } from "node:http";
import { type AddressInfo, Server as NetServer } from "node:net";
import type { Transport } from "@connectrpc/connect";
import type { Address } from "@orrery/mesh/config/read-config";
import type { Health } from "@orrery/mesh/health/health";
import type { IdentityFiles } from "@orrery/mesh/identity/identity-files";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Clock } from "@orrery/mesh/time/clock";
import { createAdmission } from "./auth/admission.ts";
import type { KeyStore } from "./auth/key-store.ts";
import { createRateLimiter, type RateLimit } from "./auth/rate-limiter.ts";
import { createDispatcher } from "./dispatch/dispatcher.ts";
import { edgeMethods } from "./dispatch/edge-methods.ts";
import { createSubmitCoalescer } from "./dispatch/submit-coalescer.ts";
import { UnsentBytes } from "./dispatch/unsent-bytes.ts";
import { asyncApiDocument, openApiDocument } from "./docs/contract-documents.ts";
import { documentPage, swaggerPages } from "./docs/documents.ts";
import { problemPages } from "./docs/problem-pages.ts";
import { runbookPages } from "./docs/runbook-pages.ts";
import { livePage, readyPage } from "./http/health-pages.ts";
import { createHttpServer } from "./http/http-server.ts";
import type { PageHandler, PageTable } from "./http/pages.ts";
import { createRequestRecorder } from "./http/request-record.ts";
import { routeLabels } from "./http/route-label.ts";
import { webPages } from "./http/web-folder.ts";
import { REGISTRY, SERVICES } from "./registry.ts";
import { createRestHandler } from "./rest/rest-handler.ts";
import { createConnectHandler } from "./rpc/connect-handler.ts";
import { listenEdgeGrpc } from "./rpc/edge-grpc-server.ts";
import { createGrpcRecorder } from "./rpc/grpc-record.ts";

/** What a gateway stands on. */
export interface GatewayParts {
  /** Where to listen; port 0 for any. */
  readonly http: Address;
  readonly edgeGrpc: Address;
  /** The address that problem documents and contracts name; the HTTP address unless set. */
  readonly publicUrl?: string;
  /** The folder of the built web page; none is served without it. */
  readonly webFolder?: string;
  /** The folder of the runbooks that alerts name; no such pages without it. */
  readonly runbooksFolder?: string;
  readonly rateLimit: RateLimit;
  readonly reflection: boolean;
  readonly keys: KeyStore;
  /** The connections to the services, by workload. */
  readonly upstreams: ReadonlyMap<string, Transport>;
  /** How many replicas of the jobs service there are. */
  readonly jobsReplicas: number;
  /** The certificate of the gRPC port; cleartext without it, for where something in front does the TLS. */
  readonly identity?: IdentityFiles;
  /** The certificate of the HTTP port; cleartext without it. */
  readonly httpIdentity?: IdentityFiles;
  readonly health: Pick<Health, "ready" | "onChange">;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock: Clock;
}

/** A gateway that listens. */
export interface Gateway {
  readonly http: Address;
  readonly edgeGrpc: Address;
  /** The text of the OpenAPI document that is served. */
  readonly openApi: string;
  /**
   * Takes no more connections, lets what is under way end, and cuts the rest off after `limitMs`
   * milliseconds.
   */
  drain(limitMs: number): Promise<void>;
}

/** Puts the gateway together and opens its two ports. */
export async function startGateway(parts: GatewayParts): Promise<Gateway> {
  const { clock, logger, metrics, upstreams, health } = parts;
  const ready = (): boolean => health.ready();
  const stopping = new AbortController();
  const publicUrl = parts.publicUrl ?? `http://${parts.http.host}:${parts.http.port}`;
  const methods = edgeMethods(SERVICES);
  const jobs = upstreams.get("jobs");
  if (jobs === undefined) throw new Error("the gateway needs a connection to the jobs service");
  const submissions = createSubmitCoalescer({ jobs, replicas: parts.jobsReplicas, clock, metrics });
  const unsent = new UnsentBytes();
  const dispatcher = createDispatcher({ methods, upstreams, submissions, publicUrl, logger, ready, unsent });
  const limiter = createRateLimiter(parts.rateLimit, clock);
  const admission = createAdmission({ keys: parts.keys, limiter, logger });
  const rest = createRestHandler({
    registry: REGISTRY,
    services: SERVICES,
    dispatcher,
    publicUrl,
    logger,
    shutdownSignal: stopping.signal,
  });
  const openApi = JSON.stringify(openApiDocument(publicUrl));
  const routeLabel = routeLabels(rest.routes.map(({ template }) => template));
  const server = createHttpServer({
    rest,
    admission,
    publicUrl,
    clock,
    logger,
    unsent,
    connect: createConnectHandler({
      dispatcher,
      admission,
      registry: REGISTRY,
      methods: methods.keys(),
      shutdownSignal: stopping.signal,
    }),
    pages: pageTable({ ...parts, openApi, publicUrl, ready }),
    shutdownSignal: stopping.signal,
    recorder: createRequestRecorder({ metrics, logger, clock, routeLabel }),
    ...(parts.httpIdentity && { identity: parts.httpIdentity }),
  });
  const http = await listen(server, parts.http);
  const grpc = await listenEdgeGrpc({
    dispatcher,
    admission,
    clock,
    address: parts.edgeGrpc,
    ...(parts.identity && { identity: parts.identity }),
    methods: [...methods.keys()],
    reflection: parts.reflection,
    unsent,
    health,
    recorder: createGrpcRecorder({ metrics, logger, clock }),
  });
  return {
    http,
    edgeGrpc: grpc.address,
    openApi,
    drain: async (limitMs) => {
      stopping.abort();
      await Promise.all([drainHttp(server, limitMs), grpc.drain(limitMs)]);
      await submissions.close();
    },
  };
}

function pageTable(options: {
  openApi: string;
  publicUrl: string;
  ready: () => boolean;
  webFolder?: string | undefined;
  runbooksFolder?: string | undefined;
}): PageTable {
  const { openApi, publicUrl, ready, webFolder, runbooksFolder } = options;
  const readyAnswer = readyPage(ready);
  const swagger = swaggerPages();
  const problems = problemPages(publicUrl);
  const runbooks = runbooksFolder === undefined ? undefined : runbookPages(runbooksFolder);
  const toDocs: PageHandler = () => ({ status: 302, headers: { location: "/docs" }, body: "" });
  const web =
    webFolder === undefined
      ? { exact: new Map([["/", toDocs]]), below: new Map<string, PageHandler>() }
      : webPages(webFolder);
  return {
    exact: new Map([
      ...web.exact,
      ["/healthz", livePage],
      ["/health/live", livePage],
      ["/readyz", readyAnswer],
      ["/health/ready", readyAnswer],
      ["/openapi.json", documentPage(openApi)],
      ["/asyncapi.json", documentPage(JSON.stringify(asyncApiDocument(publicUrl)))],
      ["/docs", swagger],
      ["/problems", problems],
      ...(runbooks === undefined ? [] : [["/runbooks", runbooks] as const]),
    ]),
    below: new Map([
      ...web.below,
      ["/docs/", swagger],
      ["/problems/", problems],
      ...(runbooks === undefined ? [] : [["/runbooks/", runbooks] as const]),
    ]),
  };
}

async function listen(server: Server, { host, port }: Address): Promise<Address> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address() as AddressInfo;
  return { host: address.address, port: address.port };
}

/** A client that goes on using a connection is told with its next answer; whatever is idle for longer is closed. */
const IDLE_GRACE_MS = 500;

/** Takes no more connections, ends the idle ones, the others with their answers, and all that are left at the limit. */
async function drainHttp(server: Server, limitMs: number): Promise<void> {
  // Node's `close` of an HTTP server would end idle connections at once, and with them what is on its way to us.
  const closed = new Promise<void>((resolve) => NetServer.prototype.close.call(server, () => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_GRACE_MS);
  const cut = setTimeout(() => server.closeAllConnections(), limitMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
