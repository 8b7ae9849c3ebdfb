import { BUDGET_SERIES, errorsSeries } from "../../src/slo/rules.ts";
import type { DashboardPlan, PanelPlan } from "./dashboard-plan.ts";

const CHOSEN = 'slo=~"$slo"';
const LEGEND = "{{slo}} at {{at}}";

function burnPanel(title: string, window: string, tells: string): PanelPlan {
  const of = (sli: string): string => `${errorsSeries(window)}{${CHOSEN},sli="${sli}"} / ${BUDGET_SERIES}`;
  return {
    title,
    tells,
    unit: "short",
    queries: [
      { expr: of("availability"), legend: `${LEGEND}: availability` },
      { expr: of("latency"), legend: `${LEGEND}: latency` },
    ],
  };
}

/** How much of each promise is kept, and how fast the rest is used up. */
export const SLO_DASHBOARD: DashboardPlan = {
  uid: "orrery-slo",
  title: "Orrery: service levels",
  tells: "The promises of the contract (mesh/observability/SLO.md), and how they are kept.",
  choices: [{ name: "slo", values: `${BUDGET_SERIES}, slo` }],
  rows: [
    {
      title: "Error budgets",
      panels: [
        {
          title: "Worst burn rate",
          tells: "1 uses a budget up in exactly 30 days; 14.4 in two. Of all promises, over an hour.",
          unit: "short",
          shows: "number",
          queries: [{ expr: `max(${errorsSeries("1h")}{${CHOSEN}} / ${BUDGET_SERIES})`, legend: "worst" }],
        },
        {
          title: "Budget left, by the last 6 hours",
          tells:
            "What is left of the budget if the last six hours had lasted 30 days. Below 0: the promise is broken.",
          unit: "percentunit",
          queries: [
            { expr: `1 - ${errorsSeries("6h")}{${CHOSEN}} / ${BUDGET_SERIES}`, legend: `${LEGEND}: {{sli}}` },
          ],
        },
        {
          title: "Alerts that fire",
          tells: "By name and severity; each has a runbook.",
          unit: "short",
          queries: [
            {
              expr: 'count by (alertname, severity) (ALERTS{alertstate="firing"}) or vector(0)',
              legend: "{{alertname}} ({{severity}})",
            },
          ],
        },
      ],
    },
    {
      title: "Calls that were bad",
      panels: [
        {
          title: "Availability: faults of ours",
          tells: "The part of the calls within five minutes that ended in a fault of ours.",
          unit: "percentunit",
          queries: [{ expr: `${errorsSeries("5m")}{${CHOSEN},sli="availability"}`, legend: LEGEND }],
        },
        {
          title: "Latency: calls that took too long",
          tells: "The part of the calls within five minutes that were slower than promised.",
          unit: "percentunit",
          queries: [{ expr: `${errorsSeries("5m")}{${CHOSEN},sli="latency"}`, legend: LEGEND }],
        },
      ],
    },
    {
      title: "Burn rates",
      panels: [
        burnPanel(
          "Burn over 5 min",
          "5m",
          "The short window: whether it still burns. Critical at 14.4 together with 1 h.",
        ),
        burnPanel("Burn over 1 h", "1h", "Critical at 14.4 together with 5 min."),
        burnPanel("Burn over 6 h", "6h", "Critical at 6 together with 30 min."),
        burnPanel("Burn over 3 days", "3d", "A warning at 1 together with 6 h."),
      ],
    },
  ],
};
