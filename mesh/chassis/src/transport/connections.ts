import { constants } from "node:crypto";
import { createServer as createPlainServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Address } from "../config/read-config.ts";
import type { Identity, IdentityFiles } from "../identity/identity-files.ts";
import { workloadFromCertificate } from "../identity/peer-identity.ts";
import type { Gate } from "../policy/gate.ts";
import { SECURITY_EVENT } from "../telemetry/attributes.ts";

const CONNECTION_LIMIT = 2_000;
const HANDSHAKE_LIMIT_MS = 5_000;

/** A port that accepts connections and knows who is at the other end of each. */
export interface Connections {
  readonly address: Address;
  /** The workload at the other end, by `host:port` of that end; undefined where no identity was proved. */
  workloadAt(peer: string): string | undefined;
  /** Stops accepting. Connections that are open stay open. */
  close(): void;
}

/**
 * Listens with mutual TLS: a peer without a certificate of our authority, or without a workload's name in it,
 * gets no further than the handshake, and that is counted and logged.
 *
 * The identity is read once for each connection and kept by the peer's address. Two connections with the same
 * address would share it, so the second is refused: that can only be a translated or forged address.
 *
 * A leaf that is replaced is used by the next handshake; connections that are open go on.
 *
 * @throws Error when the address cannot be had
 */
export async function listenTls(options: {
  address: Address;
  identity: IdentityFiles;
  trustDomain: string;
  gate: Gate;
  connected(socket: Socket): void;
}): Promise<Connections> {
  const { identity, trustDomain, gate } = options;
  const workloads = new Map<string, string>();
  const server = createTlsServer({
    ...tlsContext(identity.current()),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ["h2"],
    handshakeTimeout: HANDSHAKE_LIMIT_MS,
  });
  const refuse = (event: string, socket: TLSSocket, why: string): void => {
    gate.refuseConnection(event, { peer: peerOf(socket) ?? null, why });
    socket.destroy();
  };
  server.on("secureConnection", (socket) => {
    // A reset by the peer is its own affair; HTTP/2 notices the end of the connection by itself.
    socket.on("error", () => socket.destroy());
    const peer = peerOf(socket);
    const names = socket.authorized ? socket.getPeerCertificate().subjectaltname : undefined;
    const workload = workloadFromCertificate(names, trustDomain);
    if (workload === undefined) return refuse(SECURITY_EVENT.NAME_REFUSED, socket, "no workload's name");
    if (peer === undefined) return void socket.destroy();
    if (workloads.has(peer))
      return refuse(SECURITY_EVENT.NAME_REFUSED, socket, "the peer's address is in use");
    if (socket.alpnProtocol !== "h2") return void socket.destroy();
    workloads.set(peer, workload);
    socket.once("close", () => workloads.delete(peer));
    options.connected(socket);
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket) => {
    const why = socket.authorizationError ?? error.code;
    // A connection that was closed before its handshake, as a port check does, proves nothing and refuses
    // nothing.
    if (String(why) === "ECONNRESET") return;
    gate.refuseConnection(SECURITY_EVENT.HANDSHAKE_REFUSED, {
      peer: peerOf(socket) ?? null,
      why: String(why),
    });
  });
  const unsubscribe = identity.onChange((next) => server.setSecureContext(tlsContext(next)));
  server.once("close", unsubscribe);
  return { ...(await listening(server, options.address)), workloadAt: (peer) => workloads.get(peer) };
}

/** Listens in clear, behind a mesh's proxy that has verified the peer: identities come with each call. */
export async function listenPlain(options: {
  address: Address;
  connected(socket: Socket): void;
}): Promise<Connections> {
  const server = createPlainServer((socket) => {
    socket.on("error", () => socket.destroy());
    options.connected(socket);
  });
  return { ...(await listening(server, options.address)), workloadAt: () => undefined };
}

/**
 * What our TLS servers show and demand: TLS 1.3, and a full handshake each time. Session tickets are off,
 * because a resumed session would carry an identity past the end of its certificate.
 */
export function tlsContext({ keyPem, certPem, caPem }: Identity): {
  key: string;
  cert: string;
  ca: string;
  minVersion: "TLSv1.3";
  secureOptions: number;
  sessionIdContext: string;
} {
  return {
    key: keyPem,
    cert: certPem,
    ca: caPem,
    minVersion: "TLSv1.3",
    secureOptions: constants.SSL_OP_NO_TICKET,
    sessionIdContext: "orrery",
  };
}

async function listening(server: Server, wanted: Address): Promise<Pick<Connections, "address" | "close">> {
  server.maxConnections = CONNECTION_LIMIT;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: wanted.host, port: wanted.port }, () => {
    server.off("error", reject);
    resolve();
  });
  await promise;
  const bound = server.address();
  const port = bound !== null && typeof bound === "object" ? bound.port : wanted.port;
  return { address: { host: wanted.host, port }, close: () => void server.close() };
}

function peerOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined ? undefined : `${remoteAddress}:${remotePort}`;
}
