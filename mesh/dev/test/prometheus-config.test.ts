import { describe, expect, test } from "@jest/globals";
import { WORKLOADS } from "@orrery/mesh/topology";
import { FreePorts } from "../src/free-port.ts";
import { prometheusConfig, ruleFiles, scrapeTargets } from "../src/prometheus-config.ts";
import { placeAll } from "../src/service-launch.ts";
import { readSettings } from "../src/settings.ts";

describe("Prometheus", () => {
  test("finds every replica of every workload, by its admin port and under its name", async () => {
    const settings = readSettings({ REPLICAS: "2", ORRERY_PORT: "5440" });
    const placed = await placeAll(WORKLOADS, settings, new FreePorts("prometheus-config"));
    const targets = JSON.parse(scrapeTargets(placed)) as {
      targets: string[];
      labels: Record<string, string>;
    }[];
    expect(targets.map(({ labels }) => labels)).toEqual(
      WORKLOADS.flatMap(({ name }) =>
        [0, 1].map((replica) => ({ service: name, instance: `${name}-${replica}` })),
      ),
    );
    expect(targets.map((target) => target.targets)).toEqual(
      placed.map(({ adminPort }) => [`127.0.0.1:${adminPort}`]),
    );
  });

  test("scrapes over TLS with its own certificate, and believes what a process says of itself", () => {
    const config = JSON.parse(
      prometheusConfig({
        scrapeIntervalMs: 5_000,
        identity: { caFile: "ca", certFile: "cert", keyFile: "key" },
        rules: ["rules.yaml"],
        targetsFile: "targets.json",
        alertmanagerUrl: "http://127.0.0.1:9093",
      }),
    );
    expect(config).toMatchObject({
      global: { scrape_interval: "5000ms", evaluation_interval: "5000ms" },
      rule_files: ["rules.yaml"],
      alerting: { alertmanagers: [{ static_configs: [{ targets: ["127.0.0.1:9093"] }] }] },
    });
    expect(config.scrape_configs).toEqual([
      {
        job_name: "orrery",
        scheme: "https",
        honor_labels: true,
        tls_config: { ca_file: "ca", cert_file: "cert", key_file: "key" },
        file_sd_configs: [{ files: ["targets.json"] }],
      },
    ]);
  });

  test("is given the rules of the repository, and none of promtool's cases", () => {
    expect(ruleFiles().length).toBeGreaterThan(0);
    expect(ruleFiles().filter((path) => path.endsWith(".test.yaml"))).toEqual([]);
  });
});
