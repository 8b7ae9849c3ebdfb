import { heapFlags, type Workload, type WorkloadName } from "@orrery/mesh/topology";
import { APP } from "./names.ts";

/** What differs between one rung and another for the same process. */
export interface Rung {
  readonly identitySource: "linkerd" | "tls";
  /** How a process is reached, by its name. */
  host(name: string): string;
  /** The port of a workload's HTTP and gRPC at the edge is served with TLS of its own. */
  readonly edgeTls: boolean;
  /** What the outside calls the edge. */
  readonly publicUrl: string;
  /** How long a process stays up unready: until nobody sends to it any more. */
  readonly drainDelay: string;
  /** Where this process keeps its key, certificate and authorities. */
  readonly leaf: { readonly identityFile: string; readonly caFile: string };
}

/** The ports that each process of ours listens on, whatever else it has. */
export const OWN_GRPC_PORT = 7_001;

/** How long calls under way may take to end at a stop, and attempts of the worker. */
export const DRAIN_S = 10;
const WORKER_DRAIN = "5s";

/** Where the pieces of an image of ours lie. */
export const PLACES = {
  web: `${APP}/page`,
  runbooks: `${APP}/mesh/observability/runbooks`,
  preload: `${APP}/mesh/chassis/src/telemetry/preload.cjs`,
  keys: "/run/orrery/keys",
  identity: "/run/orrery/identity",
  traces: "/var/lib/orrery/traces",
} as const;

/** Variables that no rung sets, and why: a test holds this list and those that are set to what the code reads. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  ORRERY_READ_MODEL_DIR: "the folder of the embedded read model, which no cluster uses",
  ORRERY_HTTP_ALLOW:
    "opens addresses inside the cluster to jobs of users: an overlay's decision, host by host",
};

/**
 * The environment of one process: everything it reads, defaults written out, so that one file shows what can be set.
 * Addresses and names of files, never a secret.
 */
export function variablesOf(workload: Workload, rung: Rung): Readonly<Record<string, string>> {
  return {
    NODE_ENV: "production",
    ...common(workload, rung),
    ...stores(workload, rung),
    ...Object.fromEntries(
      workload.peers.map((peer) => [peerVariable(peer), `${rung.host(peer)}:${OWN_GRPC_PORT}`]),
    ),
    ...special(workload, rung),
  };
}

/** The name of the variable that holds where a peer is. */
export const peerVariable = (peer: WorkloadName): string => `ORRERY_PEER_${peer.toUpperCase()}`;

function common(workload: Workload, rung: Rung): Record<string, string> {
  const plain = rung.identitySource === "linkerd";
  return {
    ORRERY_SERVICE: workload.name,
    // The edge serves its callers on ports of its own; this one is for whoever is inside its pod.
    ORRERY_GRPC_ADDRESS:
      workload.ports.http === undefined ? `0.0.0.0:${OWN_GRPC_PORT}` : `127.0.0.1:${OWN_GRPC_PORT}`,
    ORRERY_ADMIN_ADDRESS: `0.0.0.0:${workload.ports.admin}`,
    ORRERY_IDENTITY_SOURCE: rung.identitySource,
    // Behind Linkerd too: PostgreSQL and NATS know nothing of Linkerd, and the edge shows one to its callers.
    ORRERY_IDENTITY_FILE: rung.leaf.identityFile,
    ORRERY_CA_FILE: rung.leaf.caFile,
    ORRERY_TRUST_DOMAIN: "orrery.serviceaccount.identity.linkerd.cluster.local",
    ORRERY_LOG_LEVEL: "info",
    ORRERY_METRICS: "on",
    ORRERY_REFLECTION: "on",
    ORRERY_DRAIN: `${DRAIN_S}s`,
    ORRERY_DRAIN_DELAY: rung.drainDelay,
    ORRERY_OTLP_URL: `${plain ? "http" : "https"}://${rung.host("observatory")}:9001/v1/traces`,
  };
}

function stores({ database, nats }: Workload, rung: Rung): Record<string, string> {
  return {
    ...(database && {
      ORRERY_DATABASE_HOST: rung.host("postgres"),
      ORRERY_DATABASE_PORT: "5432",
      ORRERY_DATABASE_NAME: database.name,
      ORRERY_DATABASE_ROLE: database.role,
      ...Object.fromEntries(
        Object.entries(database.pools).map(([purpose, size]) => [
          `ORRERY_${purpose.toUpperCase()}_CONNECTIONS`,
          String(size),
        ]),
      ),
      ORRERY_RELAY: "on",
    }),
    ...(nats && { ORRERY_NATS_URL: `tls://${rung.host("nats")}:4222` }),
  };
}

function special({ name, ports }: Workload, rung: Rung): Record<string, string> {
  switch (name) {
    case "worker":
      return { ORRERY_WORKER_SLOTS: "100", ORRERY_WORKER_THREADS: "1", ORRERY_WORKER_DRAIN: WORKER_DRAIN };
    case "observatory":
      return {
        ORRERY_READ_MODEL: "elasticsearch",
        ORRERY_ELASTICSEARCH_URL: `http://${rung.host("elasticsearch")}:9200`,
        ORRERY_ELASTICSEARCH_PREFIX: "orrery",
        ORRERY_TRACE_DIR: PLACES.traces,
      };
    case "alerts":
      return { ORRERY_ALERTMANAGER_URL: `http://${rung.host("alertmanager")}:9093` };
    case "gateway":
      return {
        ORRERY_HTTP_ADDRESS: `0.0.0.0:${ports.http ?? 0}`,
        ORRERY_EDGE_GRPC_ADDRESS: `0.0.0.0:${ports.grpc}`,
        ...(rung.edgeTls && { ORRERY_HTTP_IDENTITY_FILE: rung.leaf.identityFile }),
        ORRERY_PUBLIC_URL: rung.publicUrl,
        ORRERY_KEYS_FILE: `${PLACES.keys}/keys.json`,
        ORRERY_RATE_LIMIT: "50000/1s",
        ORRERY_TRACES_PER_SECOND: "50",
        ORRERY_TRACE_RATIO: "0",
        ORRERY_RUNBOOKS_DIR: PLACES.runbooks,
        ORRERY_WEB_DIR: PLACES.web,
      };
    case "jobs":
    case "orchestrator":
      return {};
  }
}

/** What follows `node`: a heap that fits the container, the tracing that loads before all else, and the program. */
export function nodeArguments({ folder, main, memory }: Workload): readonly string[] {
  return [...heapFlags(memory), "--require", PLACES.preload, `${APP}/${folder}/${main}`];
}

/** What follows `node` to bring a workload's database up to date. */
export const migrateArguments = ({ folder }: Workload): readonly string[] => [
  `${APP}/${folder}/src/migrate.ts`,
  "up",
];
