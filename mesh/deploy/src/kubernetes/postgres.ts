/** PostgreSQL: one that stands alone for kind, and three instances under CloudNativePG for production. */
import { NAMESPACE } from "@orrery/contracts/policy/names";
import { RESERVED_CONNECTIONS, WORKLOADS } from "@orrery/mesh/topology";
import { PORTS } from "../call-graph.ts";
import { about, GENERATED_MARK, type Manifest } from "../manifest.ts";
import { IMAGES, labelsOf, podLabels } from "../names.ts";
import { CONTAINER_SECURITY, containerPorts, MESHED, podSecurity, resources, scratch } from "./pod.ts";
import { leafSecret, secretVolume, serviceAccount } from "./workload.ts";

/** Connections of the server: the pools of three replicas of everything, and what it keeps for itself. */
export const MAX_CONNECTIONS = 200;
const IDENTITY = "/run/orrery/identity";
/** Who runs the server in its own image. */
const POSTGRES_USER = 999;
const OPAQUE = { "config.linkerd.io/opaque-ports": "5432" };

const databases = WORKLOADS.flatMap(({ database }) => (database === null ? [] : [database]));

/**
 * Who may log in over the network: each role into its one database, with the leaf whose CN it is. Never the superuser,
 * and nobody by a password.
 */
export const loginRules = (): readonly string[] => [
  ...databases.flatMap(({ name, role, ownerRole }) =>
    [role, ownerRole].map((login) => `hostssl ${name} ${login} all cert`),
  ),
  "host all all all reject",
];

/** Settings of both. Durability is never traded; the rest fits many short statements. */
const SETTINGS = {
  max_connections: String(MAX_CONNECTIONS),
  superuser_reserved_connections: String(Math.min(RESERVED_CONNECTIONS, 5)),
  shared_buffers: "256MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  jit: "off",
  max_parallel_workers_per_gather: "0",
  random_page_cost: "1.1",
  autovacuum_naptime: "10s",
  max_locks_per_transaction: "256",
} as const;

/** The settings of a server that stands alone, and shows the leaf in that folder. */
export function postgresSettings(leaf: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}) {
  const settings = {
    listen_addresses: "*",
    ...SETTINGS,
    ssl: "on",
    ssl_cert_file: leaf.certFile,
    ssl_key_file: leaf.keyFile,
    ssl_ca_file: leaf.caFile,
    ssl_min_protocol_version: "TLSv1.3",
    timezone: "UTC",
    log_timezone: "UTC",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
  return `${GENERATED_MARK}\n${lines.join("")}`;
}

/** The rules of a server that stands alone: its superuser comes in by the socket inside its container alone. */
export const hostRules = (): string =>
  [GENERATED_MARK, "local all postgres peer", ...loginRules(), ""].join("\n");

/** Databases and roles, for the first start of an empty server. The owner migrates, the role serves. */
export const rolesSql = (): string => {
  const statements = databases.flatMap(({ name, role, ownerRole }) => [
    ...[ownerRole, role].map(
      (login) => `create role ${login} login nosuperuser nocreatedb nocreaterole noinherit;`,
    ),
    `create database ${name} owner ${ownerRole} template template0 encoding 'UTF8' locale 'C';`,
    `revoke all on database ${name} from public;`,
    `grant connect on database ${name} to ${role};`,
  ]);
  return `-- ${GENERATED_MARK.slice(2)}\n${statements.join("\n")}\n`;
};

/** The files that the server of kind is told its settings by. */
export const postgresFiles = (): readonly (readonly [string, string])[] => [
  [
    "postgresql.conf",
    postgresSettings({
      certFile: `${IDENTITY}/tls.crt`,
      keyFile: `${IDENTITY}/tls.key`,
      caFile: `${IDENTITY}/ca.crt`,
    }),
  ],
  ["pg_hba.conf", hostRules()],
  ["roles.sql", rolesSql()],
];

/** One server with its disk, for kind. */
export const singlePostgres = (): readonly Manifest[] => [
  serviceAccount("postgres"),
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: about("postgres-rw", { of: "postgres", annotations: OPAQUE }),
    spec: {
      selector: podLabels("postgres"),
      ports: [{ name: "postgres", port: 5432, targetPort: "postgres", protocol: "TCP" }],
    },
  },
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: about("postgres"),
    spec: {
      serviceName: "postgres-rw",
      replicas: 1,
      selector: { matchLabels: podLabels("postgres") },
      template: {
        metadata: { labels: labelsOf("postgres"), annotations: { ...MESHED, ...OPAQUE } },
        spec: {
          serviceAccountName: "postgres",
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 60,
          securityContext: podSecurity(POSTGRES_USER),
          containers: [postgresContainer()],
          volumes: [
            scratch("tmp"),
            scratch("socket"),
            secretVolume("identity", leafSecret("postgres")),
            { name: "settings", configMap: { name: "postgres-settings" } },
          ],
        },
      },
      volumeClaimTemplates: [disk("data", "8Gi")],
    },
  },
];

function postgresContainer(): object {
  // By the network's address: while an empty server is prepared it answers on its socket alone.
  const ask = { exec: { command: ["pg_isready", "-U", "postgres", "-h", "127.0.0.1"] } };
  return {
    name: "postgres",
    image: IMAGES.postgres,
    args: ["-c", "config_file=/etc/orrery/postgresql.conf", "-c", "hba_file=/etc/orrery/pg_hba.conf"],
    ports: containerPorts(PORTS.postgres ?? {}),
    env: [
      { name: "POSTGRES_INITDB_ARGS", value: "--locale=C --encoding=UTF8" },
      // The image asks for it; what counts are the rules that the server is given above, which trust nobody.
      { name: "POSTGRES_HOST_AUTH_METHOD", value: "reject" },
    ],
    startupProbe: { ...ask, periodSeconds: 2, failureThreshold: 90 },
    readinessProbe: { ...ask, periodSeconds: 5, failureThreshold: 2 },
    livenessProbe: { ...ask, periodSeconds: 10, failureThreshold: 6 },
    resources: resources(1_024, "500m"),
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: "data", mountPath: "/var/lib/postgresql" },
      { name: "tmp", mountPath: "/tmp" },
      { name: "socket", mountPath: "/var/run/postgresql" },
      { name: "identity", mountPath: IDENTITY, readOnly: true },
      { name: "settings", mountPath: "/etc/orrery", readOnly: true },
      {
        name: "settings",
        mountPath: "/docker-entrypoint-initdb.d/roles.sql",
        subPath: "roles.sql",
        readOnly: true,
      },
    ],
  };
}

/** A disk of a StatefulSet's pod. */
export const disk = (name: string, storage: string) => ({
  metadata: { name },
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
});

/**
 * A primary and two that follow it, one of them before a commit is answered. CloudNativePG makes the Services
 * `postgres-rw`, `postgres-ro` and `postgres-r`, an account `postgres`, and lets nobody disturb too many at once.
 */
export const cloudnativePostgres = (): readonly Manifest[] => [
  {
    apiVersion: "postgresql.cnpg.io/v1",
    kind: "Cluster",
    metadata: about("postgres"),
    spec: {
      instances: 3,
      imageName: IMAGES.cloudnativePostgres,
      inheritedMetadata: { labels: podLabels("postgres"), annotations: { ...MESHED, ...OPAQUE } },
      storage: { size: "100Gi" },
      walStorage: { size: "20Gi" },
      bootstrap: { initdb: { encoding: "UTF8", localeCollate: "C", localeCType: "C" } },
      postgresql: {
        parameters: { ...SETTINGS, shared_buffers: "1GB" },
        pg_hba: loginRules(),
        synchronous: { method: "any", number: 1 },
      },
      certificates: {
        serverCASecret: leafSecret("postgres"),
        serverTLSSecret: leafSecret("postgres"),
        clientCASecret: leafSecret("postgres"),
        replicationTLSSecret: leafSecret("streaming-replica"),
      },
      managed: { roles: databases.flatMap(({ role, ownerRole }) => [ownerRole, role].map(managedRole)) },
      resources: resources(4_096, "2"),
      affinity: { podAntiAffinityType: "required", topologyKey: "kubernetes.io/hostname" },
    },
  },
  ...databases.map(
    ({ name, ownerRole }): Manifest => ({
      apiVersion: "postgresql.cnpg.io/v1",
      kind: "Database",
      metadata: about(name, { of: "postgres" }),
      spec: {
        cluster: { name: "postgres" },
        name,
        owner: ownerRole,
        template: "template0",
        encoding: "UTF8",
        localeCollate: "C",
        localeCType: "C",
        databaseReclaimPolicy: "retain",
      },
    }),
  ),
  ...operatorAccess(),
];

const managedRole = (name: string) => ({
  name,
  ensure: "present",
  login: true,
  superuser: false,
  createdb: false,
  createrole: false,
  inherit: false,
  disablePassword: true,
});

/** The operator asks each instance how it is, over TLS of its own; an instance asks the API server who is primary. */
function operatorAccess(): readonly Manifest[] {
  const operator = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "cnpg-system" } } };
  return [
    {
      apiVersion: "policy.linkerd.io/v1beta3",
      kind: "Server",
      metadata: about("postgres-status", { of: "postgres" }),
      spec: {
        podSelector: { matchLabels: podLabels("postgres") },
        port: 8000,
        proxyProtocol: "opaque",
        accessPolicy: "all-unauthenticated",
      },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "postgres-operator", namespace: NAMESPACE },
      spec: {
        podSelector: { matchLabels: podLabels("postgres") },
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [operator], ports: [{ protocol: "TCP", port: 8000 }] }],
        egress: [{ ports: [443, 6443].map((port) => ({ protocol: "TCP", port })) }],
      },
    },
  ];
}
