import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { committedDashboards, panelQueries, panelsOf } from "../src/panel-queries.ts";
import { allRules } from "./alert-rules.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
const { metrics } = parse(readFileSync(join(ROOT, "contracts/surface.yaml"), "utf8")) as {
  readonly metrics: Readonly<Record<string, readonly string[]>>;
};
/** What prom-client's default metrics and Prometheus itself bring. */
const OTHERS = ["up", "ALERTS", "process_cpu_seconds_total", "process_resident_memory_bytes"];
const NODE = /^nodejs_(eventloop_lag_p99_seconds|gc_duration_seconds_sum)$/;
const recorded = allRules().flatMap((rule) => ("record" in rule ? [rule.record] : []));
const served = new Set([...Object.values(metrics).flat(), ...recorded, ...OTHERS]);
const dashboards = committedDashboards();
const named = dashboards.map((dashboard) => [dashboard.title ?? "", dashboard] as const);
const GRID_COLUMNS = 24;

/** The names of the metrics in an expression: what stands before a selector, a range or an operator. */
function metricsIn(expr: string): readonly string[] {
  const bare = expr.replace(/"(?:[^"\\]|\\.)*"/g, '""');
  return [...bare.matchAll(/\b(orrery[_:][\w:]+|process_\w+|nodejs_\w+|up|ALERTS)\b/g)].map(([name]) => name);
}

const isServed = (name: string): boolean =>
  served.has(name) || NODE.test(name) || served.has(name.replace(/_(bucket|count|sum)$/, ""));

describe("every dashboard", () => {
  test.each(named)(
    "%s has panels that lie within the grid and on nobody else's place",
    (_title, dashboard) => {
      const places = (dashboard.panels ?? []).map(({ gridPos }) => gridPos ?? { x: -1, y: -1, w: 0, h: 0 });
      for (const { x, y, w, h } of places) {
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
        expect(Math.min(w, h)).toBeGreaterThan(0);
        expect(x + w).toBeLessThanOrEqual(GRID_COLUMNS);
      }
      const overlaps = places.flatMap((one, index) =>
        places
          .slice(index + 1)
          .filter(
            (other) =>
              one.x < other.x + other.w &&
              other.x < one.x + one.w &&
              one.y < other.y + other.h &&
              other.y < one.y + one.h,
          ),
      );
      expect(overlaps).toEqual([]);
    },
  );

  test.each(named)(
    "%s has panels that say what they tell, in a unit, and number them once",
    (_title, dashboard) => {
      const panels = panelsOf(dashboard);
      for (const { title, description, fieldConfig, targets } of panels) {
        expect([title, description?.trim()]).not.toContain("");
        expect(fieldConfig?.defaults.unit).toMatch(/\S/);
        expect(targets?.length).toBeGreaterThan(0);
      }
      const ids = (dashboard.panels ?? []).map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
    },
  );

  test("has an address of its own that does not change", () => {
    expect(dashboards.map(({ uid }) => uid ?? "").sort()).toEqual([
      "orrery-flow",
      "orrery-queues",
      "orrery-service",
      "orrery-slo",
    ]);
  });
});

test("Grafana is told of a data source and of the folder of the dashboards, by its environment", () => {
  const folder = join(ROOT, "mesh/observability/grafana/provisioning");
  const read = (path: string): unknown => parse(readFileSync(join(folder, path), "utf8"));
  expect(read("datasources/prometheus.yaml")).toMatchObject({
    apiVersion: 1,
    datasources: [{ type: "prometheus", url: expect.stringMatching(/^\$\{\w+\}$/), isDefault: true }],
  });
  expect(read("dashboards/orrery.yaml")).toMatchObject({
    apiVersion: 1,
    providers: [
      { type: "file", allowUiUpdates: false, options: { path: expect.stringMatching(/^\$\{\w+\}$/) } },
    ],
  });
});

describe("every query", () => {
  test.each(panelQueries().map(({ dashboard, panel, expr }) => [dashboard, panel, expr]))(
    "%s, %s: `%s` asks for metrics that are served",
    (_dashboard, _panel, expr) => {
      const asked = metricsIn(expr);
      expect(asked.length).toBeGreaterThan(0);
      expect(asked.filter((name) => !isServed(name))).toEqual([]);
      expect(expr).not.toMatch(/\$/);
    },
  );

  test("of the rules asks for metrics that are served", () => {
    const asked = allRules().flatMap(({ expr }) => metricsIn(expr));
    expect([...new Set(asked)].filter((name) => !isServed(name))).toEqual([]);
  });

  test("would not pass with a name that nobody serves", () => {
    expect(
      metricsIn('sum(rate(orrery_nonsense_total{a="up"}[5m]))').filter((name) => !isServed(name)),
    ).toEqual(["orrery_nonsense_total"]);
  });
});
