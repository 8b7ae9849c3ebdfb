import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { type DescMethod, type DescService, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type ChannelOptions, Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { ReflectionService } from "@grpc/reflection";
import type { Address } from "@orrery/mesh/config/read-config";
import type { Health } from "@orrery/mesh/health/health";
import type { IdentityFiles } from "@orrery/mesh/identity/identity-files";
import { tlsContext } from "@orrery/mesh/transport/connections";
import { statusFrom } from "@orrery/mesh/transport/grpc-codec";
import { healthService, STANDARD_SERVICES } from "@orrery/mesh/transport/server-services";
import type { Admission } from "../auth/admission.ts";
import { LIMITS } from "../http/limits.ts";
import { faultOf } from "../http/problem.ts";
import { type EdgeHandlersOptions, edgeDefinition, edgeHandler, metadataReader } from "./edge-handlers.ts";
import { publicDescriptors } from "./public-descriptors.ts";
import "@orrery/mesh/transport/closing-connection"; // mends grpc-js for every server

export interface EdgeGrpcOptions extends Omit<EdgeHandlersOptions, "drainSignal" | "stopSignal"> {
  readonly address: Address;
  /** The port's certificate; cleartext without it. */
  readonly identity?: IdentityFiles;
  /** The RPCs to serve; every other one is UNIMPLEMENTED. */
  readonly methods: readonly DescMethod[];
  readonly reflection: boolean;
  readonly health: Pick<Health, "ready" | "onChange">;
}

/** The gRPC port, open. */
export interface EdgeGrpc {
  readonly address: Address;
  /** Takes no more calls, lets what is under way end, and cuts the rest off after `limitMs` milliseconds. */
  drain(limitMs: number): Promise<void>;
}

/** grpc-js has no limits unless told: none on memory, streams or the age of a connection. */
const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.max_receive_message_length": LIMITS.bulkBodyBytes,
  "grpc.max_send_message_length": LIMITS.grpcAnswerBytes,
  "grpc.max_concurrent_streams": LIMITS.grpcStreams,
  "grpc.max_connection_age_ms": LIMITS.grpcAgeMs,
  "grpc.max_connection_age_grace_ms": LIMITS.grpcAgeGraceMs,
  "grpc.max_connection_idle_ms": LIMITS.grpcIdleMs,
  "grpc.keepalive_time_ms": LIMITS.grpcPingMs,
  "grpc.keepalive_timeout_ms": LIMITS.grpcPongMs,
  "grpc-node.max_session_memory": LIMITS.grpcSessionMegabytes,
};

/**
 * Opens the gRPC port: every exposed RPC, streams both ways included, over TLS without client certificates. A
 * certificate that is replaced serves the handshakes after it; what is connected stays so.
 */
export async function listenEdgeGrpc(options: EdgeGrpcOptions): Promise<EdgeGrpc> {
  const server = new GrpcServer(CHANNEL_OPTIONS);
  const draining = new AbortController();
  const stopping = new AbortController();
  const handling = { ...options, drainSignal: draining.signal, stopSignal: stopping.signal };
  for (const methods of Map.groupBy(options.methods, (method) => method.parent).values()) {
    const definition = Object.fromEntries(methods.map((method) => [method.name, edgeDefinition(method)]));
    const handlers = Object.fromEntries(
      methods.map((method) => [method.name, edgeHandler(method, handling)]),
    );
    server.addService(definition, handlers);
  }
  const healthUpdates = addHealth(server, options);
  if (options.reflection) addReflection(server, options);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const door = await listenDoor(options, (socket) => {
    // A client that breaks off is its own affair; the end of its calls is noticed by HTTP/2.
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    injector.injectConnection(socket);
  });
  return {
    address: door.address,
    drain: async (limitMs) => {
      door.close();
      draining.abort();
      injector.drain(limitMs);
      // Streams have no end of their own: they are told at half of the time, so that their clients go
      // elsewhere.
      const streams = setTimeout(() => stopping.abort(), limitMs / 2);
      const cut = setTimeout(() => server.forceShutdown(), limitMs);
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      clearTimeout(streams);
      clearTimeout(cut);
      healthUpdates[Symbol.dispose]();
    },
  };
}

/** Whether we are ready is for anyone, as at the HTTP port; to be told of it for as long as one likes needs a key. */
function addHealth(server: GrpcServer, { methods, admission, health }: EdgeGrpcOptions): Disposable {
  const service = healthService(servicesOf(methods), health);
  const { watch, ...others } = service.implementation;
  server.addService(service.definition, { ...others, watch: withKey(watch, admission) });
  return service;
}

const servicesOf = (methods: readonly DescMethod[]): readonly DescService[] => [
  ...new Set(methods.map(({ parent }) => parent)),
];

/** Reflection needs a key, as every call here does: what we serve is for those whom we serve. */
function addReflection(server: GrpcServer, { methods, admission }: EdgeGrpcOptions): void {
  const standard = STANDARD_SERVICES.map(({ file }) => toBinary(FileDescriptorProtoSchema, file.proto));
  const files = [...publicDescriptors(methods), ...standard].map((file) => Buffer.from(file));
  const reflection = new ReflectionService(
    { files: { format: "Protocol Buffer 3 DescriptorProto", type: {}, fileDescriptorProtos: files } },
    { services: [...servicesOf(methods), ...STANDARD_SERVICES].map(({ typeName }) => typeName) },
  );
  reflection.addToServer({
    addService: (definition, handlers) => {
      const guarded = Object.entries(handlers).map(([name, handler]) => [name, withKey(handler, admission)]);
      server.addService(definition, Object.fromEntries(guarded));
    },
  });
}

type Handler = ReturnType<typeof edgeHandler>;

function withKey(handler: unknown, admission: Admission): Handler {
  return (call) => {
    const { metadata } = call;
    try {
      admission.admit({
        header: metadataReader(metadata),
        correlationId: "",
        answerHeaders: {},
        caller: undefined,
      });
    } catch (error) {
      call.emit("error", statusFrom(faultOf(error)));
      return;
    }
    (handler as Handler)(call);
  };
}

async function listenDoor(
  { address, identity }: EdgeGrpcOptions,
  connected: (socket: Socket) => void,
): Promise<{ address: Address; close(): void }> {
  const server = identity === undefined ? createServer(connected) : tlsServer(identity, connected);
  server.maxConnections = LIMITS.connections;
  server.listen({ host: address.host, port: address.port });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { address: { host: address.host, port }, close: () => void server.close() };
}

function tlsServer(identity: IdentityFiles, connected: (socket: Socket) => void): Server {
  const server = createTlsServer({
    ...tlsContext(identity.current()),
    requestCert: false,
    ALPNProtocols: ["h2"],
    handshakeTimeout: LIMITS.headersTimeoutMs,
  });
  server.on("secureConnection", (socket) => {
    if (socket.alpnProtocol === "h2") connected(socket);
    else socket.destroy();
  });
  const stop = identity.onChange((next) => server.setSecureContext(tlsContext(next)));
  server.once("close", stop);
  return server;
}
