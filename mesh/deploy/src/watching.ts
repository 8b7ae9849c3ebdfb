/** What Prometheus and Alertmanager are told, in a cluster and on one host: the repository's rules, other addresses. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { WORKLOADS } from "@orrery/mesh/topology";
import { parse } from "yaml";
import { yamlFile } from "./manifest.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const INTERVAL = "5s";

/** Where Prometheus finds the rules: beside its own file, not below it, since both are mounted. */
export const RULES_FOLDER = "/etc/prometheus-rules";

/** Where a process finds its leaf; undefined where Linkerd has it. */
export type LeafFiles =
  | { readonly ca_file: string; readonly cert_file: string; readonly key_file: string }
  | undefined;

/** How processes are found and addressed. */
export interface WatchedPlace {
  readonly leaf: LeafFiles;
  /** The name whose addresses are the replicas of a workload. */
  replicas(workload: string): string;
  readonly alertmanager: string;
  readonly alertsUrl: string;
  /** Whether a certificate names the workload and not the address, so that the name has to be said. */
  readonly serverName?: (workload: string) => string;
}

/** Prometheus' configuration: every replica of every workload, found by name, scraped on its admin port. */
export function prometheusSettings(place: WatchedPlace): string {
  const { leaf, serverName } = place;
  return yamlFile([
    {
      global: { scrape_interval: INTERVAL, scrape_timeout: INTERVAL, evaluation_interval: INTERVAL },
      rule_files: [`${RULES_FOLDER}/*.yaml`],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [place.alertmanager] }] }] },
      scrape_configs: WORKLOADS.map(({ name, ports }) => ({
        job_name: `orrery-${name}`,
        scheme: leaf === undefined ? "http" : "https",
        honor_labels: true,
        ...(leaf && { tls_config: { ...leaf, ...(serverName && { server_name: serverName(name) }) } }),
        dns_sd_configs: [
          { names: [place.replicas(name)], type: "A", port: ports.admin, refresh_interval: INTERVAL },
        ],
        relabel_configs: [{ target_label: "service", replacement: name }],
      })),
    },
  ]);
}

interface Template {
  readonly receivers: readonly [{ readonly webhook_configs: readonly [Record<string, unknown>] }];
}

/** Alertmanager's configuration: that of mesh/observability, told to this place's alerts service. */
export function alertmanagerSettings({ leaf, alertsUrl }: WatchedPlace): string {
  const file = resolve(ROOT, "mesh/observability/alertmanager/alertmanager.yaml");
  const template = parse(readFileSync(file, "utf8")) as Template;
  const [receiver] = template.receivers;
  const [webhook] = receiver.webhook_configs;
  const { tls_config: _laptop, ...http } = webhook.http_config as Record<string, unknown>;
  const http_config = { ...http, ...(leaf && { tls_config: leaf }) };
  return yamlFile([
    {
      ...template,
      receivers: [{ ...receiver, webhook_configs: [{ ...webhook, url: alertsUrl, http_config }] }],
    },
  ]);
}

/** What Grafana is told by its environment: read only, for whoever reaches it, with nothing to log in to. */
export const grafanaVariables = (prometheusUrl: string): Readonly<Record<string, string>> => ({
  GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
  GF_ANALYTICS_REPORTING_ENABLED: "false",
  GF_AUTH_ANONYMOUS_ENABLED: "true",
  GF_AUTH_ANONYMOUS_ORG_ROLE: "Viewer",
  GF_AUTH_BASIC_ENABLED: "false",
  GF_AUTH_DISABLE_LOGIN_FORM: "true",
  GF_LOG_MODE: "console",
  GF_PLUGINS_PREINSTALL_DISABLED: "true",
  ORRERY_DASHBOARDS_DIR: "/var/lib/grafana-dashboards",
  PROMETHEUS_URL: prometheusUrl,
});
