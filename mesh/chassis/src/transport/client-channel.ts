import { isIP } from "node:net";
import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  experimental,
  type experimental as GrpcExperimental,
} from "@grpc/grpc-js";
import type { Address } from "../config/read-config.ts";
import { DEFAULT_TRUST_DOMAIN } from "../config/service-config.ts";
import type { IdentityFiles } from "../identity/identity-files.ts";
import { workloadDnsName } from "../identity/peer-identity.ts";
import { MESSAGE_BYTES } from "./answer-size.ts";
import "./closing-connection.ts"; // mends grpc-js for every channel

/** Whom a channel reaches, and as whom. */
export interface ChannelTarget {
  /** The workload to be called; its certificate has to name it. */
  readonly workload: string;
  /** One host name, or one IP address or more; calls go round over all that answer. */
  readonly addresses: readonly Address[];
  /** Undefined behind a mesh's proxy, which then does the TLS. */
  readonly identity: IdentityFiles | undefined;
  readonly trustDomain?: string | undefined;
  /** The largest request and answer, in bytes. */
  readonly maxMessageBytes?: number | undefined;
}

/** Milliseconds between two pings of a connection. */
const PING_MS = 1_000;
/** In which one has to be answered: no call would have been, and a process that is only busy has its turn by then. */
const PONG_MS = 4_000;

/**
 * Opens a channel to a workload. Nothing is connected before the first call; after that, every address is, and
 * one that hangs is left until it shakes hands anew.
 *
 * Retries by the service config are off; what is left of grpc-js's own are the transparent ones, of calls
 * that never left this process or that the server says it never began (gRFC A6), which cannot run anything
 * twice.
 */
export function openChannel(target: ChannelTarget): Client {
  return new Client(targetOf(target.addresses), credentialsOf(target), channelOptions(target));
}

function channelOptions(target: ChannelTarget): ChannelOptions {
  const messageBytes = target.maxMessageBytes ?? MESSAGE_BYTES;
  const name = workloadDnsName(target.workload, target.trustDomain ?? DEFAULT_TRUST_DOMAIN);
  return {
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    "grpc.service_config_disable_resolution": 1,
    "grpc.max_receive_message_length": messageBytes,
    "grpc.max_send_message_length": messageBytes,
    "grpc.keepalive_time_ms": PING_MS,
    "grpc.keepalive_timeout_ms": PONG_MS,
    "grpc.keepalive_permit_without_calls": 1,
    // A service that was killed is back within 2 s: waiting longer than that between attempts would waste its
    // return.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 1_000,
    "grpc.dns_min_time_between_resolutions_ms": 1_000,
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_http_proxy": 0,
    "grpc.enable_channelz": 0,
    ...(target.identity === undefined ? {} : { "grpc.ssl_target_name_override": name }),
  };
}

function targetOf(addresses: readonly Address[]): string {
  const [first] = addresses;
  if (first === undefined) throw new TypeError("a channel needs at least one address");
  // The resolver for lists takes IP addresses only, and a laptop writes localhost for one of them.
  const known = addresses.map(({ host, port }) => ({
    host: host === "localhost" ? "127.0.0.1" : host,
    port,
  }));
  if (known.every(({ host }) => isIP(host) === 4)) {
    return `ipv4:${known.map(({ host, port }) => `${host}:${port}`).join(",")}`;
  }
  if (known.every(({ host }) => isIP(host) === 6)) {
    return `ipv6:${known.map(({ host, port }) => `[${host}]:${port}`).join(",")}`;
  }
  if (known.length > 1) {
    throw new TypeError("a channel over more than one address needs IP addresses of one family");
  }
  return `dns:///${first.host}:${first.port}`;
}

function credentialsOf({ identity }: ChannelTarget): ChannelCredentials {
  if (identity === undefined) return credentials.createInsecure();
  const provider = providerOf(identity);
  return experimental.createCertificateProviderChannelCredentials(provider, provider);
}

// Hands our identity to grpc-js, which asks it for each new connection: a replaced leaf is used by the next
// handshake, and streams that are open go on.
function providerOf(identity: IdentityFiles): GrpcExperimental.CertificateProvider {
  const unsubscribe = new Map<unknown, () => void>();
  const add = <U>(listener: (update: U) => void, update: () => U): void => {
    process.nextTick(() => listener(update()));
    unsubscribe.set(
      listener,
      identity.onChange(() => listener(update())),
    );
  };
  const remove = (listener: unknown): void => {
    unsubscribe.get(listener)?.();
    unsubscribe.delete(listener);
  };
  return {
    addCaCertificateListener: (listener) =>
      add(listener, () => ({ caCertificate: Buffer.from(identity.current().caPem) })),
    addIdentityCertificateListener: (listener) =>
      add(listener, () => ({
        certificate: Buffer.from(identity.current().certPem),
        privateKey: Buffer.from(identity.current().keyPem),
      })),
    removeCaCertificateListener: remove,
    removeIdentityCertificateListener: remove,
  };
}
