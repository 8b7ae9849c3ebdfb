/** Prometheus, Alertmanager and Grafana in the cluster, each with what mesh/observability holds and nothing by hand. */
import { PORTS } from "../call-graph.ts";
import { about, type Manifest } from "../manifest.ts";
import { IMAGES, labelsOf, podLabels, SERVER_HOSTS, serviceHost } from "../names.ts";
import {
  alertmanagerSettings,
  grafanaVariables,
  prometheusSettings,
  RULES_FOLDER,
  type WatchedPlace,
} from "../watching.ts";
import {
  CONTAINER_SECURITY,
  containerPorts,
  disk,
  httpProbe,
  MESHED,
  podAccount,
  podSecurity,
  resources,
  scratch,
  serviceAccount,
} from "./pod.ts";

const NOBODY = 65_534;
const GRAFANA_USER = 472;

const PLACE: WatchedPlace = {
  leaf: undefined,
  replicas: (workload) => serviceHost(`${workload}-replicas`),
  alertmanager: `${SERVER_HOSTS.alertmanager}:9093`,
  alertsUrl: `http://${serviceHost("alerts")}:9001/webhooks/alertmanager`,
};

/** The configuration of the two that mesh/observability does not hold as it is. */
export const observabilityFiles = (): readonly (readonly [string, string])[] => [
  ["prometheus.yaml", prometheusSettings(PLACE)],
  ["alertmanager.yaml", alertmanagerSettings(PLACE)],
];

/** One server that watches. */
interface Watcher {
  readonly name: "prometheus" | "alertmanager" | "grafana";
  readonly user: number;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ready: string;
  readonly live: string;
  readonly memoryMiB: number;
  readonly cpu: string;
  /** Its disk, and where it is; Grafana keeps nothing that is not in the repository. */
  readonly disk: { readonly size: string; readonly path: string } | undefined;
  /** ConfigMaps, and where they go. */
  readonly configMaps: Readonly<Record<string, string>>;
}

const WATCHERS: readonly Watcher[] = [
  {
    name: "prometheus",
    user: NOBODY,
    args: [
      "--config.file=/etc/prometheus/prometheus.yaml",
      "--storage.tsdb.path=/data",
      "--storage.tsdb.retention.time=15d",
      "--storage.tsdb.retention.size=18GB",
    ],
    env: {},
    ready: "/-/ready",
    live: "/-/healthy",
    memoryMiB: 1_024,
    cpu: "250m",
    disk: { size: "20Gi", path: "/data" },
    configMaps: { "prometheus-settings": "/etc/prometheus", "prometheus-rules": RULES_FOLDER },
  },
  {
    name: "alertmanager",
    user: NOBODY,
    args: [
      "--config.file=/etc/alertmanager/alertmanager.yaml",
      "--storage.path=/data",
      "--cluster.listen-address=",
    ],
    env: {},
    ready: "/-/ready",
    live: "/-/healthy",
    memoryMiB: 128,
    cpu: "50m",
    disk: { size: "1Gi", path: "/data" },
    configMaps: { "alertmanager-settings": "/etc/alertmanager" },
  },
  {
    name: "grafana",
    user: GRAFANA_USER,
    args: [],
    env: grafanaVariables(`http://${SERVER_HOSTS.prometheus}:9090`),
    ready: "/api/health",
    live: "/api/health",
    memoryMiB: 384,
    cpu: "100m",
    disk: undefined,
    configMaps: {
      "grafana-datasources": "/etc/grafana/provisioning/datasources",
      "grafana-providers": "/etc/grafana/provisioning/dashboards",
      "grafana-dashboards": "/var/lib/grafana-dashboards",
    },
  },
];

/** The three, their disks and addresses. */
export const observability = (): readonly Manifest[] =>
  WATCHERS.flatMap((watcher) => [serviceAccount(watcher.name), service(watcher), statefulSet(watcher)]);

const service = ({ name }: Watcher): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: about(name),
  spec: {
    selector: podLabels(name),
    ports: Object.entries(PORTS[name] ?? {}).map(([port, number]) => ({
      name: port,
      port: number,
      targetPort: port,
      protocol: "TCP",
      appProtocol: "http",
    })),
  },
});

function statefulSet(watcher: Watcher): Manifest {
  const { name, user } = watcher;
  return {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: about(name),
    spec: {
      serviceName: name,
      replicas: 1,
      selector: { matchLabels: podLabels(name) },
      template: {
        metadata: { labels: labelsOf(name), annotations: MESHED },
        spec: {
          ...podAccount(name),
          terminationGracePeriodSeconds: 30,
          securityContext: podSecurity(user),
          containers: [container(watcher)],
          volumes: [
            scratch("tmp"),
            ...(watcher.disk === undefined ? [{ name: "data", emptyDir: { sizeLimit: "900Mi" } }] : []),
            ...Object.keys(watcher.configMaps).map((map) => ({ name: map, configMap: { name: map } })),
          ],
        },
      },
      ...(watcher.disk && { volumeClaimTemplates: [disk("data", watcher.disk.size)] }),
    },
  };
}

function container({
  name,
  args,
  env,
  ready,
  live,
  memoryMiB,
  cpu,
  disk: kept,
  configMaps,
}: Watcher): object {
  return {
    name,
    image: IMAGES[name],
    ...(args.length > 0 && { args }),
    ports: containerPorts(PORTS[name] ?? {}),
    ...(Object.keys(env).length > 0 && {
      env: Object.entries(env).map(([variable, value]) => ({ name: variable, value })),
    }),
    startupProbe: httpProbe("web", live, { periodSeconds: 3, failureThreshold: 40 }),
    readinessProbe: httpProbe("web", ready, { periodSeconds: 5, failureThreshold: 3 }),
    livenessProbe: httpProbe("web", live, { periodSeconds: 20, failureThreshold: 3 }),
    resources: resources(memoryMiB, cpu),
    securityContext: CONTAINER_SECURITY,
    volumeMounts: [
      { name: "tmp", mountPath: "/tmp" },
      { name: "data", mountPath: kept?.path ?? "/var/lib/grafana" },
      ...Object.entries(configMaps).map(([map, mountPath]) => ({ name: map, mountPath, readOnly: true })),
    ],
  };
}
