import type { Socket } from "node:net";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import {
  Server,
  ServerCredentials,
  type ServerOptions,
  type ServiceDefinition,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import type { Address } from "../config/read-config.ts";
import { DEFAULT_TRUST_DOMAIN } from "../config/service-config.ts";
import { Fault } from "../fault/fault.ts";
import type { Health } from "../health/health.ts";
import type { IdentityFiles } from "../identity/identity-files.ts";
import { createGate } from "../policy/gate.ts";
import { SERVER_CALLERS, serverPolicy } from "../policy/method-policy.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { wait } from "../time/wait.ts";
import { createAdmission } from "./admission.ts";
import { MESSAGE_BYTES } from "./answer-size.ts";
import {
  type ServedRpc,
  serveBidi,
  serveClientStream,
  serveServerStream,
  serveUnary,
} from "./call-pipeline.ts";
import { type Connections, listenPlain, listenTls } from "./connections.ts";
import { methodDefinition } from "./grpc-codec.ts";
import type { OpenCalls } from "./open-calls.ts";
import type { Route } from "./route.ts";
import { type CaughtService, healthService, reflectionServices } from "./server-services.ts";
import "./closing-connection.ts"; // mends grpc-js for every server

/** What a gRPC port is made of. */
export interface GrpcServerOptions {
  readonly address: Address;
  readonly routes: readonly Route[];
  /** Who proves identities: mutual TLS here, or a mesh's proxy in front. */
  readonly identitySource: "tls" | "linkerd";
  /** Needed with `tls`. */
  readonly identity?: IdentityFiles | undefined;
  readonly trustDomain?: string | undefined;
  readonly health: Health;
  /** Whether reflection answers, v1 and v1alpha. */
  readonly reflection: boolean;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly clock?: Clock | undefined;
  /** The largest request and answer, in bytes. 1 KiB to 64 MiB; 10 MiB unless said. */
  readonly maxMessageBytes?: number | undefined;
  /** How long a connection is used before its client is asked to open another, in milliseconds. */
  readonly maxConnectionAgeMs?: number | undefined;
  /** How long after one ping of a connection the next one follows, in milliseconds. 15 s unless said. */
  readonly pingMs?: number | undefined;
}

/** A gRPC port that is open. */
export interface GrpcServer {
  readonly address: Address;
  /** Calls that are being served. */
  readonly openCalls: number;
  /**
   * Stops accepting and waits for the calls under way, for so many milliseconds at most. Streams without an
   * end are ended at half of that time; what is left at its end gets DEPENDENCY_UNAVAILABLE.
   */
  drain(ms: number): Promise<void>;
}

const STREAM_LIMIT = 1_000;
const SESSION_MEMORY_MIB = 128;
const KEEPALIVE_MS = 15_000;
const KEEPALIVE_ANSWER_MS = 5_000;
const AGE_LIMIT_MS = 1_800_000;
const AGE_FLOOR_MS = 5_000;
const AGE_GRACE_MS = 3_600_000;
const LAST_WORD_MS = 250;

/**
 * Opens a gRPC port: identity, policy, deadline, validation and telemetry stand before every handler, health
 * and reflection beside them.
 *
 * The limits are set here because grpc-js has none by itself: message size, streams and memory for each
 * connection, and age. A connection is asked to end after a quarter of the life of our leaf, so that no peer
 * goes on for long under an identity that has been replaced; streams that are open then have an hour to end
 * by themselves.
 *
 * @throws Error when the address cannot be had, or an RPC has no policy
 */
export async function listenGrpc(options: GrpcServerOptions): Promise<GrpcServer> {
  const { clock = systemClock, trustDomain = DEFAULT_TRUST_DOMAIN, identity } = options;
  const messageBytes = options.maxMessageBytes ?? MESSAGE_BYTES;
  const server = new Server(serverOptions(options, messageBytes));
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const gate = createGate(options);
  const admission = createAdmission({
    ...options,
    gate,
    clock,
    trustDomain,
    messageBytes,
    workloadAt: (peer) => connections.workloadAt(peer),
  });
  const added = addServices(server, options, admission.serve, admission.gated);
  const connected = (socket: Socket): void => {
    socket.setNoDelay(true);
    injector.injectConnection(socket);
  };
  const { address } = options;
  if (options.identitySource === "tls" && identity === undefined) {
    throw new Error("a gRPC port with identitySource tls needs an identity");
  }
  const connections: Connections =
    identity !== undefined && options.identitySource === "tls"
      ? await listenTls({ address, identity, trustDomain, gate, connected })
      : await listenPlain({ address, connected });
  return {
    address: connections.address,
    get openCalls() {
      return admission.open.count;
    },
    drain: async (ms) => {
      connections.close();
      injector.drain(ms + LAST_WORD_MS);
      await endCalls(admission.open, ms);
      server.forceShutdown();
      added[Symbol.dispose]();
    },
  };
}

function serverOptions(options: GrpcServerOptions, messageBytes: number): ServerOptions {
  const leaf = options.identitySource === "tls" ? options.identity?.current() : undefined;
  const leafLifeMs = leaf === undefined ? AGE_LIMIT_MS : leaf.notAfterMs - leaf.notBeforeMs;
  const ageMs = Math.max(AGE_FLOOR_MS, Math.min(AGE_LIMIT_MS, leafLifeMs / 4));
  return {
    "grpc.max_receive_message_length": messageBytes,
    "grpc.max_send_message_length": messageBytes,
    "grpc.max_concurrent_streams": STREAM_LIMIT,
    "grpc-node.max_session_memory": SESSION_MEMORY_MIB,
    "grpc.keepalive_time_ms": options.pingMs ?? KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_ANSWER_MS,
    "grpc.max_connection_age_ms": options.maxConnectionAgeMs ?? ageMs,
    "grpc.max_connection_age_grace_ms": AGE_GRACE_MS,
    "grpc.enable_channelz": 0,
  };
}

function addServices(
  server: Server,
  options: GrpcServerOptions,
  serve: (method: DescMethod, route: Route) => ServedRpc,
  gated: (caught: CaughtService, policy: ReturnType<typeof serverPolicy>) => CaughtService,
): Disposable {
  const services = options.routes.map(({ service }) => service);
  for (const route of options.routes) {
    const handlers = Object.fromEntries(
      route.service.methods.map((method) => [method.name, handlerOf(serve(method, route))]),
    );
    server.addService(definitionOf(route.service), handlers);
  }
  const health = healthService(services, options.health);
  const reflection = options.reflection ? reflectionServices(services) : [];
  const guarded = [
    gated(health, serverPolicy(SERVER_CALLERS.health)),
    ...reflection.map((caught) => gated(caught, serverPolicy(SERVER_CALLERS.reflection))),
  ];
  for (const { definition, implementation } of guarded) server.addService(definition, implementation);
  return health;
}

function definitionOf(service: DescService): ServiceDefinition {
  return Object.fromEntries(service.methods.map((method) => [method.name, methodDefinition(method)]));
}

function handlerOf(rpc: ServedRpc): UntypedHandleCall {
  switch (rpc.method.methodKind) {
    case "unary":
      return serveUnary.bind(undefined, rpc);
    case "client_streaming":
      return serveClientStream.bind(undefined, rpc);
    case "server_streaming":
      return serveServerStream.bind(undefined, rpc);
    case "bidi_streaming":
      return serveBidi.bind(undefined, rpc);
  }
}

async function endCalls(open: OpenCalls, ms: number): Promise<void> {
  const stopping = new Fault("DEPENDENCY_UNAVAILABLE", {
    detail: "the server is stopping",
    retryAfterMs: LAST_WORD_MS,
  });
  const empty = new AbortController();
  const halfTime = setTimeout(() => open.endEndless(stopping), ms / 2);
  void open.empty().then(() => empty.abort());
  await wait(ms, empty.signal);
  clearTimeout(halfTime);
  if (open.count === 0) return;
  open.endAll(stopping);
  await wait(LAST_WORD_MS, empty.signal);
}
