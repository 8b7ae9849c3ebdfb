import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Dashboard, Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { instant } from "./prometheus.ts";

/** One query of a panel, as Prometheus can be asked it. */
export interface PanelQuery {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
}

/** Which panels had nothing to show. */
export interface PanelReport {
  readonly panels: number;
  readonly queries: number;
  /** `dashboard: panel: query` of each that returned no series. */
  readonly without: readonly string[];
}

const FOLDER = join(import.meta.dirname, "../dashboards");

// What Grafana puts in place of these; `All` of a choice is its `.+`.
const VARIABLES: readonly (readonly [RegExp, string])[] = [
  [/\$__rate_interval/g, "1m"],
  [/\$(service|queue|slo)\b/g, ".+"],
];

/** The dashboards, as the files that Grafana reads have them. */
export function committedDashboards(): readonly Dashboard[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Dashboard);
}

/** The panels of a dashboard that show something: all but the headings. */
export function panelsOf(dashboard: Dashboard): readonly Panel[] {
  return (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== "row");
}

/** Every query of every panel, with its variables filled in. */
export function panelQueries(): readonly PanelQuery[] {
  return committedDashboards().flatMap((dashboard) =>
    panelsOf(dashboard).flatMap((panel) =>
      (panel.targets ?? []).map((target) => ({
        dashboard: dashboard.title ?? "",
        panel: panel.title ?? "",
        expr: filledIn((target as { expr?: string }).expr ?? ""),
      })),
    ),
  );
}

/**
 * Asks Prometheus every query of every panel.
 *
 * @param how.finite - whether a panel has to show a number: a quantile of nothing is a series without one
 * @throws Error where Prometheus does not understand a query, or does not answer
 */
export async function queriesWithoutData(
  prometheusUrl: string,
  { finite = false }: { readonly finite?: boolean } = {},
): Promise<PanelReport> {
  const queries = panelQueries();
  const without: string[] = [];
  for (const { dashboard, panel, expr } of queries) {
    const values = (await instant(prometheusUrl, expr)).map(({ value: [, value] }) => Number(value));
    const shown = finite ? values.filter((value) => Number.isFinite(value)) : values;
    if (shown.length === 0) without.push(`${dashboard}: ${panel}: ${expr}`);
  }
  const panels = committedDashboards().flatMap(panelsOf).length;
  return { panels, queries: queries.length, without };
}

function filledIn(expr: string): string {
  return VARIABLES.reduce((text, [variable, value]) => text.replace(variable, value), expr);
}
