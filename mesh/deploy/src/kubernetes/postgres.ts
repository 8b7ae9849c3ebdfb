/** PostgreSQL: one that stands alone for kind, and three instances under CloudNativePG for production. */
import { NAMESPACE } from "@orrery/contracts/policy/names";
import { PORTS } from "../call-graph.ts";
import { PLACES } from "../configuration.ts";
import { about, type Manifest } from "../manifest.ts";
import { IMAGES, labelsOf, podLabels } from "../names.ts";
import {
  DATABASES,
  hostRules,
  loginRules,
  POSTGRES_SETTINGS,
  postgresSettings,
  rolesSql,
} from "../postgres-settings.ts";
import {
  CONTAINER_SECURITY,
  containerPorts,
  disk,
  leafSecret,
  MESHED,
  podAccount,
  podSecurity,
  resources,
  scratch,
  secretVolume,
  serviceAccount,
} from "./pod.ts";

/** Who runs the server in its own image. */
const POSTGRES_USER = 999;
const OPAQUE = { "config.linkerd.io/opaque-ports": "5432" };

/** The files that the server of kind is told its settings by. */
export const postgresFiles = (): readonly (readonly [string, string])[] => [
  [
    "postgresql.conf",
    postgresSettings({
      certFile: `${PLACES.identity}/tls.crt`,
      keyFile: `${PLACES.identity}/tls.key`,
      caFile: `${PLACES.identity}/ca.crt`,
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
          ...podAccount("postgres"),
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
      { name: "identity", mountPath: PLACES.identity, readOnly: true },
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
        parameters: { ...POSTGRES_SETTINGS, shared_buffers: "1GB" },
        pg_hba: loginRules(),
        synchronous: { method: "any", number: 1 },
      },
      certificates: {
        serverCASecret: leafSecret("postgres"),
        serverTLSSecret: leafSecret("postgres"),
        clientCASecret: leafSecret("postgres"),
        replicationTLSSecret: leafSecret("streaming-replica"),
      },
      managed: { roles: DATABASES.flatMap(({ role, ownerRole }) => [ownerRole, role].map(managedRole)) },
      resources: resources(4_096, "2"),
      affinity: { podAntiAffinityType: "required", topologyKey: "kubernetes.io/hostname" },
    },
  },
  ...DATABASES.map(
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
