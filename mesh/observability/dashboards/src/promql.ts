import type { PanelPlan } from "./dashboard-plan.ts";

/** How far back a rate looks: Grafana fits it to the resolution and the scrape interval. */
const RATE = "$__rate_interval";

/** Per second, summed over replicas. */
export function rateOf(series: string, by = ""): string {
  return `sum${grouped(by)}(rate(${series}[${RATE}]))`;
}

/** The part that fits a selector of those that fit another, such as failures of calls; 0 while there are none. */
export function shareOf(part: string, whole: string, by = ""): string {
  return `(${rateOf(part, by)} or 0 * ${rateOf(whole, by)}) / clamp_min(${rateOf(whole, by)}, 1e-9)`;
}

/** A quantile of a histogram, over replicas. */
export function quantileOf(quantile: number, histogram: string, selector: string, by = ""): string {
  const labels = by === "" ? "le" : `le, ${by}`;
  return `histogram_quantile(${quantile}, sum by (${labels}) (rate(${histogram}_bucket{${selector}}[${RATE}])))`;
}

/** What a histogram's observations were on average; 0 while there are none. */
export function meanOf(histogram: string): string {
  return `${rateOf(`${histogram}_sum`)} / clamp_min(${rateOf(`${histogram}_count`)}, 1e-9)`;
}

/** A gauge of shared state: every replica shows the same. */
export function sharedGauge(series: string, by = ""): string {
  return `max${grouped(by)}(${series})`;
}

/** The median and the slow ends of a histogram, as one panel. */
export function latencyPanel(of: {
  readonly title: string;
  readonly tells: string;
  readonly histogram: string;
  readonly selector: string;
}): PanelPlan {
  return {
    title: of.title,
    tells: of.tells,
    unit: "s",
    queries: [0.5, 0.95, 0.99].map((quantile) => ({
      expr: quantileOf(quantile, of.histogram, of.selector),
      legend: `p${quantile * 100}`,
    })),
  };
}

function grouped(by: string): string {
  return by === "" ? "" : ` by (${by}) `;
}
