import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { Platform } from "../../dev/testing/platform.ts";
import { queriesWithoutData } from "../src/panel-queries.ts";
import { variedLoad } from "./varied-load.ts";

/** Dashboards, alerts and runbooks against a platform under load, its own Prometheus and Alertmanager. */
describe("a platform under a varied load", () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await Platform.start({ OBSERVE: "1", ORRERY_SCRAPE_INTERVAL: "2s" });
  }, 300_000);
  afterAll(async () => platform?.[Symbol.asyncDispose](), 90_000);

  const prometheusUrl = (): string => {
    const { prometheus } = platform.run;
    if (prometheus === null) throw new Error("Prometheus was not started");
    return prometheus.url;
  };
  const ask = async (path: string): Promise<{ data: unknown }> => {
    const response = await fetch(`${prometheusUrl()}/api/v1/${path}`);
    return (await response.json()) as { data: unknown };
  };

  test("fills every panel of every dashboard with numbers", async () => {
    const report = await eventually(
      async () => {
        await variedLoad(platform);
        const found = await queriesWithoutData(prometheusUrl(), { finite: true });
        expect(found.without).toEqual([]);
        return found;
      },
      { withinMs: 150_000, everyMs: 1_000 },
    );
    expect(report.panels).toBeGreaterThan(50);
    process.stdout.write(
      `panels with data: ${report.panels} of ${report.panels} (${report.queries} queries)\n`,
    );
  }, 180_000);

  test("lets every choice of a dashboard choose between what is there", async () => {
    const choices: readonly (readonly [string, string])[] = [
      ["up", "service"],
      ["orrery:slo_budget:ratio", "slo"],
    ];
    for (const [metric, label] of choices) {
      const { data } = await ask(`label/${label}/values?match[]=${metric}`);
      expect((data as unknown[]).length).toBeGreaterThan(4);
    }
  });

  test("has rules that Prometheus evaluates without an error", async () => {
    const { data } = await ask("rules");
    const { groups } = data as {
      groups: { rules: { name: string; health: string; lastError?: string }[] }[];
    };
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.filter(({ health }) => health === "err")).toEqual([]);
    expect(rules.length).toBeGreaterThan(200);
  });

  test("fires JobFailureRateHigh for jobs that fail, and the edge has its runbook", async () => {
    const runbook = await eventually(
      async () => {
        await variedLoad(platform);
        const { data } = await ask("alerts");
        const { alerts } = data as {
          alerts: { state: string; labels: Record<string, string>; annotations: Record<string, string> }[];
        };
        const alert = alerts.find(({ labels, state }) => {
          return labels.alertname === "JobFailureRateHigh" && state === "firing";
        });
        expect(alert).toBeDefined();
        return alert?.annotations.runbook;
      },
      { withinMs: 120_000, everyMs: 1_000 },
    );
    const page = await platform.send("GET", `/runbooks/${runbook}`, { key: null });
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/markdown; charset=utf-8"]);
  }, 150_000);
});
