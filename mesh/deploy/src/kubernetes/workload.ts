/** One workload in the cluster: its identity, its processes, and the addresses that it is reached by. */
import type { Workload } from "@orrery/mesh/topology";
import { PORTS } from "../call-graph.ts";
import { DRAIN_S, nodeArguments, PLACES, type Rung, variablesOf } from "../configuration.ts";
import { about, GENERATED_MARK, type Manifest, yamlFile } from "../manifest.ts";
import { imageOf, labelsOf, podLabels, SERVER_HOSTS, serviceHost } from "../names.ts";
import {
  CONTAINER_SECURITY,
  containerPorts,
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

/** How long a process stays up unready, so that endpoints without it have reached every proxy. */
const DRAIN_DELAY_S = 5;
/** What the process takes beyond its drain before it ends itself (mesh/chassis/src/lifecycle), and a little. */
const EXIT_MARGIN_S = 15;
const GRACE_S = DRAIN_DELAY_S + DRAIN_S + EXIT_MARGIN_S;

/** What a pod is promised of a processor, by how soon its callers notice. */
const CPU = { serving: "500m", delayed: "250m" } as const;

/** The rung of a cluster: Linkerd says who calls. */
export const CLUSTER: Rung = {
  identitySource: "linkerd",
  host: (name) =>
    Object.hasOwn(SERVER_HOSTS, name) ? SERVER_HOSTS[name as keyof typeof SERVER_HOSTS] : serviceHost(name),
  edgeTls: true,
  publicUrl: "https://orrery.example",
  drainDelay: `${DRAIN_DELAY_S}s`,
  leaf: {
    identityFile: `${PLACES.identity}/tls-combined.pem`,
    caFile: `${PLACES.identity}/ca.crt`,
  },
};

/** The ConfigMap that a workload reads its environment from. */
export const configurationOf = (workload: string): string => `${workload}-configuration`;

/** The Secret with the hashes of the API keys, which is made by hand or by a secret manager, never committed. */
const KEYS_SECRET = "gateway-keys";

/** The two files of a workload: its resources, and its environment. */
export function workloadFiles(workload: Workload): readonly (readonly [string, string])[] {
  const variables = Object.entries(variablesOf(workload, CLUSTER)).map(
    ([name, value]) => `${name}=${value}\n`,
  );
  return [
    [
      `${workload.name}.yaml`,
      yamlFile([serviceAccount(workload.name), deployment(workload), ...services(workload)]),
    ],
    [`${workload.name}.env`, `${GENERATED_MARK}\n${variables.join("")}`],
  ];
}

function deployment(workload: Workload): Manifest {
  const { name, replicas } = workload;
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: about(name),
    spec: {
      replicas,
      revisionHistoryLimit: 3,
      // The new one is ready before an old one goes: at no moment is there one less.
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      selector: { matchLabels: podLabels(name) },
      template: {
        metadata: { labels: labelsOf(name), annotations: MESHED },
        spec: {
          ...podAccount(name),
          terminationGracePeriodSeconds: GRACE_S,
          securityContext: podSecurity(),
          topologySpreadConstraints: ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].map(
            spread(name),
          ),
          containers: [container(workload)],
          volumes: volumes(workload),
        },
      },
    },
  };
}

/** Replicas of one version apart from each other, where the cluster has room for that. */
const spread = (name: string) => (topologyKey: string) => ({
  topologyKey,
  maxSkew: 1,
  whenUnsatisfiable: "ScheduleAnyway",
  labelSelector: { matchLabels: podLabels(name) },
  matchLabelKeys: ["pod-template-hash"],
});

function container(workload: Workload): object {
  const { name, memory, slo } = workload;
  return {
    name,
    image: imageOf(name),
    imagePullPolicy: "IfNotPresent",
    args: nodeArguments(workload),
    ports: containerPorts(PORTS[name] ?? {}),
    envFrom: [{ configMapRef: { name: configurationOf(name) } }],
    env: [{ name: "ORRERY_INSTANCE", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }],
    startupProbe: httpProbe("admin", "/healthz", { periodSeconds: 2, failureThreshold: 30 }),
    readinessProbe: httpProbe("admin", "/readyz", { periodSeconds: 3, failureThreshold: 2 }),
    // It says no more than that the process turns over: what it depends on is for readiness to tell.
    livenessProbe: httpProbe("admin", "/healthz", { periodSeconds: 10, failureThreshold: 3 }),
    resources: resources(memory.limitMiB, CPU[slo]),
    securityContext: CONTAINER_SECURITY,
    volumeMounts: mounts(workload),
  };
}

function mounts(workload: Workload): readonly object[] {
  return [
    { name: "tmp", mountPath: "/tmp" },
    { name: "identity", mountPath: PLACES.identity, readOnly: true },
    ...(workload.name === "gateway" ? [{ name: "keys", mountPath: PLACES.keys, readOnly: true }] : []),
    ...(workload.name === "observatory" ? [{ name: "traces", mountPath: PLACES.traces }] : []),
  ];
}

function volumes(workload: Workload): readonly object[] {
  return [
    scratch("tmp"),
    secretVolume("identity", leafSecret(workload.name)),
    ...(workload.name === "gateway" ? [secretVolume("keys", KEYS_SECRET)] : []),
    // Traces are for looking at soon after: they live as long as the pod does.
    ...(workload.name === "observatory" ? [{ name: "traces", emptyDir: { sizeLimit: "900Mi" } }] : []),
  ];
}

/** How Linkerd and kubernetes are told what a port speaks, so that nothing has to be guessed. */
const SPEAKS: Readonly<Record<string, string>> = { grpc: "kubernetes.io/h2c", admin: "http" };

/**
 * The address of a workload, and one that has an entry for each replica: Prometheus asks each for itself, and also
 * those that are not ready.
 */
function services({ name }: Workload): readonly Manifest[] {
  const ports = Object.entries(PORTS[name] ?? {}).map(([port, number]) => ({
    name: port,
    port: number,
    targetPort: port,
    protocol: "TCP",
    ...(SPEAKS[port] !== undefined && { appProtocol: SPEAKS[port] }),
  }));
  return [
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: about(name),
      spec: { type: "ClusterIP", selector: podLabels(name), ports },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: about(`${name}-replicas`, { of: name }),
      spec: {
        clusterIP: "None",
        publishNotReadyAddresses: true,
        selector: podLabels(name),
        ports: ports.filter((port) => port.name === "admin"),
      },
    },
  ];
}
