import { NAMESPACE, WORKLOAD_LABEL } from "@orrery/contracts/policy/names";

/** The version of the images that the manifests name; an overlay names the one it rolls out. */
export const VERSION = "0.1.0";

/** Images of others, each by a version that does not move. An overlay may replace a tag by its digest. */
export const IMAGES = {
  postgres: "postgres:18.4-bookworm",
  cloudnativePostgres: "ghcr.io/cloudnative-pg/postgresql:18.4",
  nats: "nats:2.12.15-alpine",
  natsReloader: "natsio/nats-server-config-reloader:0.18.2",
  elasticsearch: "docker.elastic.co/elasticsearch/elasticsearch:9.2.0",
  kibana: "docker.elastic.co/kibana/kibana:9.2.0",
  prometheus: "prom/prometheus:v3.5.0",
  alertmanager: "prom/alertmanager:v0.28.1",
  grafana: "grafana/grafana:12.2.0",
  pgadmin: "dpage/pgadmin4:9.9",
} as const;

/** The versions of the image references above that a custom resource takes apart from the name. */
export const ELASTIC_VERSION = IMAGES.elasticsearch.split(":")[1] ?? "";

/** The user in our images, who owns nothing there. */
export const USER = 10_001;

/** Where an image of ours holds the checkout. */
export const APP = "/app";

/** The label by which a server's pods are chosen: operators put it on pods that they name and label themselves. */
const SERVER_LABEL = "orrery-server";

/** Servers that the platform stands on, in its namespace. */
export const SERVER_NAMES = [
  "postgres",
  "nats",
  "elasticsearch",
  "prometheus",
  "alertmanager",
  "grafana",
] as const;

/** A server of that kind. */
export type ServerName = (typeof SERVER_NAMES)[number];

/** The labels by which the pods of a process are chosen. */
export function podLabels(name: string): Record<string, string> {
  return (SERVER_NAMES as readonly string[]).includes(name)
    ? { [SERVER_LABEL]: name }
    : { [WORKLOAD_LABEL]: name };
}

/** Every label of a process. */
export const labelsOf = (name: string): Record<string, string> => ({
  [WORKLOAD_LABEL]: name,
  "app.kubernetes.io/part-of": "orrery",
  ...podLabels(name),
});

/** The name of a Service as the whole cluster knows it. */
export const serviceHost = (service: string): string => `${service}.${NAMESPACE}.svc.cluster.local`;

/** The Services of the servers. Two are named by their operators, and elsewhere alike: no configuration differs. */
export const SERVER_HOSTS: Readonly<Record<ServerName, string>> = {
  postgres: serviceHost("postgres-rw"),
  nats: serviceHost("nats"),
  elasticsearch: serviceHost("elasticsearch-es-http"),
  prometheus: serviceHost("prometheus"),
  alertmanager: serviceHost("alertmanager"),
  grafana: serviceHost("grafana"),
};

/** The image of a workload, by the name of its process. */
export const imageOf = (workload: string): string => `orrery/${workload}:${VERSION}`;
