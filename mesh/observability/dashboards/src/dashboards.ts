import { type DashboardPlan, dashboardFrom } from "./dashboard-plan.ts";
import { FLOW_DASHBOARD } from "./flow-dashboard.ts";
import { QUEUES_DASHBOARD } from "./queues-dashboard.ts";
import { SERVICE_DASHBOARD } from "./service-dashboard.ts";
import { SLO_DASHBOARD } from "./slo-dashboard.ts";

/** Every dashboard. */
export const DASHBOARDS: readonly DashboardPlan[] = [
  SERVICE_DASHBOARD,
  FLOW_DASHBOARD,
  QUEUES_DASHBOARD,
  SLO_DASHBOARD,
];

/** The files that Grafana reads, by their path within mesh/observability. */
export function dashboardFiles(): readonly (readonly [string, string])[] {
  return DASHBOARDS.map((plan) => {
    const name = plan.uid.replace(/^orrery-/, "");
    return [`dashboards/${name}.json`, `${JSON.stringify(dashboardFrom(plan), null, 2)}\n`] as const;
  });
}
