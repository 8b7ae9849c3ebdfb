/** NATS with JetStream: one server for kind, three that agree for production. */
import { WORKLOADS } from "@orrery/mesh/topology";
import { natsConfig } from "../../../dev/src/nats-config.ts";
import { PORTS } from "../call-graph.ts";
import { about, type Manifest } from "../manifest.ts";
import { IMAGES, labelsOf, podLabels, serviceHost, USER } from "../names.ts";
import {
  CONTAINER_SECURITY,
  containerPorts,
  httpProbe,
  MESHED,
  podSecurity,
  resources,
  scratch,
} from "./pod.ts";
import { disk } from "./postgres.ts";
import { leafSecret, secretVolume, serviceAccount } from "./workload.ts";

const IDENTITY = "/run/orrery/identity";
const DATA = "/data";
const PID = "/var/run/nats/nats.pid";
const GIB = 1_073_741_824;
const OPAQUE = { "config.linkerd.io/opaque-ports": "4222,6222" };

/** How many servers, and the disk of each. */
export interface NatsSize {
  readonly replicas: number;
  readonly diskGiB: number;
}

/** What the configuration of nats-server depends on outside a laptop. */
export interface NatsPlace {
  readonly identityFile: string;
  readonly caFile: string;
  readonly storeDir: string;
  readonly diskGiB: number;
  /** The other servers, where there are several. */
  readonly routes?: readonly string[];
  readonly pidFile?: string;
}

/** The laptop's configuration, users and permissions word for word, where clients come from other machines. */
export function natsSettings(place: NatsPlace): string {
  const { identityFile, caFile, storeDir, diskGiB, routes = [], pidFile } = place;
  const laptop = JSON.parse(
    natsConfig({ port: 4222, monitorPort: 8222, storeDir, identityFile, caFile, workloads: WORKLOADS }),
  ) as { jetstream: object; server_name?: string };
  const { server_name, ...shared } = laptop;
  const cluster = {
    name: "orrery",
    listen: "0.0.0.0:6222",
    tls: { cert_file: identityFile, key_file: identityFile, ca_file: caFile, verify: true, timeout: 5 },
    routes,
  };
  const settings = {
    ...shared,
    // Several have a name each, which their pod gives them.
    ...(routes.length === 0 && { server_name }),
    host: "0.0.0.0",
    http: "0.0.0.0:8222",
    ...(pidFile !== undefined && { pid_file: pidFile }),
    // A tenth stays free: a full disk stops the broker.
    jetstream: { ...laptop.jetstream, max_file_store: Math.floor(diskGiB * 0.9 * GIB) },
    ...(routes.length > 0 && { cluster }),
  };
  return `${JSON.stringify(settings, null, 2)}\n`;
}

/** The file that the servers of a cluster are told their settings by. */
export const natsFiles = ({ replicas, diskGiB }: NatsSize): readonly (readonly [string, string])[] => [
  [
    "nats.conf",
    natsSettings({
      identityFile: `${IDENTITY}/tls-combined.pem`,
      caFile: `${IDENTITY}/ca.crt`,
      storeDir: DATA,
      diskGiB,
      pidFile: PID,
      routes:
        replicas === 1
          ? []
          : Array.from(
              { length: replicas },
              (_, at) => `tls://nats-${at}.${serviceHost("nats-replicas")}:6222`,
            ),
    }),
  ],
];

/** The servers, their disks and their addresses. */
export const nats = (size: NatsSize): readonly Manifest[] => [
  serviceAccount("nats"),
  service("nats", { type: "ClusterIP" }, ["client"]),
  service("nats-replicas", { clusterIP: "None", publishNotReadyAddresses: true }, ["client", "cluster"]),
  ...(size.replicas > 1 ? [disruption("nats")] : []),
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: about("nats"),
    spec: {
      serviceName: "nats-replicas",
      replicas: size.replicas,
      podManagementPolicy: "Parallel",
      selector: { matchLabels: podLabels("nats") },
      template: {
        metadata: { labels: labelsOf("nats"), annotations: { ...MESHED, ...OPAQUE } },
        spec: pod(size),
      },
      volumeClaimTemplates: [disk("data", `${size.diskGiB}Gi`)],
    },
  },
];

const service = (name: string, spec: object, ports: readonly string[]): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: about(name, { of: "nats", annotations: OPAQUE }),
  spec: {
    ...spec,
    selector: podLabels("nats"),
    ports: ports.map((port) => ({
      name: port,
      port: PORTS.nats?.[port] ?? 0,
      targetPort: port,
      protocol: "TCP",
    })),
  },
});

/** One at a time may be taken away on purpose. */
export const disruption = (name: string): Manifest => ({
  apiVersion: "policy/v1",
  kind: "PodDisruptionBudget",
  metadata: about(name),
  spec: { maxUnavailable: 1, selector: { matchLabels: podLabels(name) } },
});

function pod({ replicas }: NatsSize): object {
  return {
    serviceAccountName: "nats",
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    // The reloader tells the server of a new leaf by a signal.
    shareProcessNamespace: true,
    terminationGracePeriodSeconds: 60,
    securityContext: podSecurity(USER),
    ...(replicas > 1 && {
      topologySpreadConstraints: [
        {
          topologyKey: "kubernetes.io/hostname",
          maxSkew: 1,
          whenUnsatisfiable: "DoNotSchedule",
          labelSelector: { matchLabels: podLabels("nats") },
        },
      ],
    }),
    containers: [server(), reloader()],
    volumes: [
      scratch("pid", "1Mi"),
      secretVolume("identity", leafSecret("nats")),
      { name: "settings", configMap: { name: "nats-settings" } },
    ],
  };
}

function server(): object {
  return {
    name: "nats",
    image: IMAGES.nats,
    command: ["nats-server"],
    args: ["-c", "/etc/nats/nats.conf", "--name", "$(POD_NAME)"],
    ports: containerPorts(PORTS.nats ?? {}),
    env: [
      { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
      { name: "GOMEMLIMIT", value: "900MiB" },
    ],
    startupProbe: httpProbe("monitor", "/healthz", { periodSeconds: 3, failureThreshold: 60 }),
    readinessProbe: httpProbe("monitor", "/healthz?js-server-only=true", {
      periodSeconds: 5,
      failureThreshold: 3,
    }),
    livenessProbe: httpProbe("monitor", "/healthz?js-enabled-only=true", {
      periodSeconds: 20,
      failureThreshold: 3,
    }),
    resources: resources(1_024, "500m"),
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: "data", mountPath: DATA },
      { name: "pid", mountPath: "/var/run/nats" },
      { name: "identity", mountPath: IDENTITY, readOnly: true },
      { name: "settings", mountPath: "/etc/nats", readOnly: true },
    ],
  };
}

function reloader(): object {
  return {
    name: "reloader",
    image: IMAGES.natsReloader,
    args: ["-pid", PID, "-config", "/etc/nats/nats.conf", "-config", `${IDENTITY}/tls-combined.pem`],
    resources: resources(32, "10m"),
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: "pid", mountPath: "/var/run/nats" },
      { name: "identity", mountPath: IDENTITY, readOnly: true },
      { name: "settings", mountPath: "/etc/nats", readOnly: true },
    ],
  };
}
