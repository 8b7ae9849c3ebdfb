import type { Address, ConfigReader } from "./read-config.ts";

/** What every service reads, whatever else it reads. */
export interface ServiceConfig {
  /** The workload, as mesh/topology.ts names it: `ORRERY_SERVICE`. */
  readonly service: string;
  /** The replica, as in `gateway-0`: `ORRERY_INSTANCE`. */
  readonly instance: string;
  /** Where the gRPC port listens: `ORRERY_GRPC_ADDRESS`. */
  readonly grpc: Address;
  /** Where the admin port listens: `ORRERY_ADMIN_ADDRESS`. */
  readonly admin: Address;
  /** PEM bundle of key, certificate and chain: `ORRERY_IDENTITY_FILE`. Needed unless the mesh does TLS. */
  readonly identityFile: string | undefined;
  /** PEM bundle of the authorities that peers are checked against: `ORRERY_CA_FILE`. */
  readonly caFile: string | undefined;
  /** Who proves identities: our own mTLS, or Linkerd's proxy: `ORRERY_IDENTITY_SOURCE`, `tls` unless said. */
  readonly identitySource: "tls" | "linkerd";
  /** The part of an identity's name behind the workload: `ORRERY_TRUST_DOMAIN`. */
  readonly trustDomain: string;
  /** The least severe line that is logged: `ORRERY_LOG_LEVEL`, `info` unless said. */
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Whether anything is counted: `ORRERY_METRICS`, `on` unless said; off to measure what it costs. */
  readonly metrics: boolean;
  /** Whether gRPC reflection answers: `ORRERY_REFLECTION`, `on` unless said. */
  readonly reflection: boolean;
  /**
   * How long calls under way may take to end at a stop, in milliseconds: `ORRERY_DRAIN`, 10 s unless said.
   */
  readonly drainMs: number;
  /** How long the service stays up unready before it stops accepting: `ORRERY_DRAIN_DELAY`, 0 unless said. */
  readonly drainDelayMs: number;
}

/** The part of a Linkerd identity behind `<workload>.`, on the laptop and in a cluster of that name. */
export const DEFAULT_TRUST_DOMAIN = "orrery.serviceaccount.identity.linkerd.cluster.local";

const WORKLOAD = /^[a-z][a-z0-9-]{0,39}$/;

/** Reads what every service needs. Call it inside `readConfig`, beside the service's own settings. */
export function serviceConfig(read: ConfigReader): ServiceConfig {
  const identitySource = read.choice("ORRERY_IDENTITY_SOURCE", { of: ["tls", "linkerd"], default: "tls" });
  const ownTls = identitySource === "tls";
  return {
    service: read.text("ORRERY_SERVICE", { pattern: WORKLOAD }),
    instance: read.text("ORRERY_INSTANCE", { pattern: /^[a-z0-9][a-z0-9.-]{0,62}$/ }),
    grpc: read.address("ORRERY_GRPC_ADDRESS"),
    admin: read.address("ORRERY_ADMIN_ADDRESS"),
    identityFile: ownTls ? read.file("ORRERY_IDENTITY_FILE") : read.optionalText("ORRERY_IDENTITY_FILE"),
    caFile: ownTls ? read.file("ORRERY_CA_FILE") : read.optionalText("ORRERY_CA_FILE"),
    identitySource,
    trustDomain: read.text("ORRERY_TRUST_DOMAIN", { default: DEFAULT_TRUST_DOMAIN }),
    logLevel: read.choice("ORRERY_LOG_LEVEL", { of: ["debug", "info", "warn", "error"], default: "info" }),
    metrics: read.choice("ORRERY_METRICS", { of: ["on", "off"], default: "on" }) === "on",
    reflection: read.choice("ORRERY_REFLECTION", { of: ["on", "off"], default: "on" }) === "on",
    drainMs: read.durationMs("ORRERY_DRAIN", { min: 0, max: 600_000, default: 10_000 }),
    drainDelayMs: read.durationMs("ORRERY_DRAIN_DELAY", { min: 0, max: 60_000, default: 0 }),
  };
}
