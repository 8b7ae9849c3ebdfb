/** NATS with JetStream: one server for kind, three that agree for production. */
import { PORTS } from "../call-graph.ts";
import { PLACES } from "../configuration.ts";
import { about, type Manifest } from "../manifest.ts";
import { IMAGES, labelsOf, podLabels, serviceHost, USER } from "../names.ts";
import { natsSettings } from "../nats-settings.ts";
import {
  CONTAINER_SECURITY,
  containerPorts,
  disk,
  disruption,
  httpProbe,
  leafSecret,
  MESHED,
  podAccount,
  podSecurity,
  resources,
  scratch,
  secretVolume,
  serviceAccount,
} from "./pod.ts";

const DATA = "/data";
const PID = "/var/run/nats/nats.pid";
const OPAQUE = { "config.linkerd.io/opaque-ports": "4222,6222" };

/** How many servers, and the disk of each. */
export interface NatsSize {
  readonly replicas: number;
  readonly diskGiB: number;
}

/** The file that the servers of a cluster are told their settings by. */
export const natsFiles = ({ replicas, diskGiB }: NatsSize): readonly (readonly [string, string])[] => [
  [
    "nats.conf",
    natsSettings({
      identityFile: `${PLACES.identity}/tls-combined.pem`,
      caFile: `${PLACES.identity}/ca.crt`,
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

function pod({ replicas }: NatsSize): object {
  return {
    ...podAccount("nats"),
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
      { name: "identity", mountPath: PLACES.identity, readOnly: true },
      { name: "settings", mountPath: "/etc/nats", readOnly: true },
    ],
  };
}

function reloader(): object {
  return {
    name: "reloader",
    image: IMAGES.natsReloader,
    args: ["-pid", PID, "-config", "/etc/nats/nats.conf", "-config", `${PLACES.identity}/tls-combined.pem`],
    resources: resources(32, "10m"),
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: "pid", mountPath: "/var/run/nats" },
      { name: "identity", mountPath: PLACES.identity, readOnly: true },
      { name: "settings", mountPath: "/etc/nats", readOnly: true },
    ],
  };
}
