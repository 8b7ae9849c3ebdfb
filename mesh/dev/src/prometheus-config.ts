import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { IdentityPaths } from "./identities.ts";
import { ROOT } from "./places.ts";
import { loopback, type Placed } from "./service-launch.ts";

/** What Prometheus' configuration depends on. */
export interface PrometheusNode {
  /** Milliseconds between two scrapes of a process, and between two looks at the rules. */
  readonly scrapeIntervalMs: number;
  readonly identity: Pick<IdentityPaths, "caFile" | "certFile" | "keyFile">;
  /** The paths of the rules. */
  readonly rules: readonly string[];
  /** The file of `scrapeTargets`, which is read again when it changes. */
  readonly targetsFile: string;
  readonly alertmanagerUrl: string;
}

const RULES = join(ROOT, "mesh/observability/rules");

/** The files of recording rules and alerts; promtool's cases, which lie beside them, are none. */
export const ruleFiles = (): readonly string[] =>
  (existsSync(RULES) ? readdirSync(RULES) : [])
    .filter((name) => name.endsWith(".yaml") && !name.endsWith(".test.yaml"))
    .sort()
    .map((name) => join(RULES, name));

/**
 * Writes the configuration of Prometheus: every process is scraped over mutual TLS. A process says itself which service
 * it is (`honor_labels`), and `up` has that from the target; `instance` is the replica.
 *
 * JSON is a subset of the YAML that Prometheus reads, and leaves nothing to be escaped by hand.
 */
export function prometheusConfig(node: PrometheusNode): string {
  const interval = `${node.scrapeIntervalMs}ms`;
  const { caFile, certFile, keyFile } = node.identity;
  const config = {
    global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
    rule_files: node.rules,
    alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(node.alertmanagerUrl).host] }] }] },
    scrape_configs: [
      {
        job_name: "orrery",
        scheme: "https",
        honor_labels: true,
        tls_config: { ca_file: caFile, cert_file: certFile, key_file: keyFile },
        file_sd_configs: [{ files: [node.targetsFile] }],
      },
    ],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Every process of the platform as Prometheus finds it: the admin port, the service, and the replica. */
export function scrapeTargets(placed: readonly Placed[]): string {
  const targets = placed.map(({ workload, instance, adminPort }) => ({
    targets: [loopback(adminPort)],
    labels: { service: workload.name, instance },
  }));
  return `${JSON.stringify(targets, null, 2)}\n`;
}
