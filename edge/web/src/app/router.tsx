import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { OverviewPage } from "../pages/overview.tsx";
import { NotFound, PageFailed } from "./outside.tsx";
import { parseSearch, textOf, wordOf, writeSearch } from "./search-text.ts";
import { Shell } from "./shell.tsx";

/** Views of a job, the first one unless the address names another. */
export const JOB_TABS = ["timeline", "data", "trace"] as const;
export const MISSION_VIEWS = ["graph", "table", "events", "data", "trace"] as const;
export const ALERT_LISTS = ["active", "all"] as const;

const list = (search: Record<string, unknown>): { q?: string | undefined; orderBy?: string | undefined } => ({
  q: textOf(search.q),
  orderBy: textOf(search.orderBy),
});

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFailed });
const at = <P extends string>(path: P) => ({ getParentRoute: () => root, path });

const routes = [
  createRoute({ ...at("/"), component: OverviewPage }),
  createRoute({
    ...at("/jobs"),
    validateSearch: list,
    component: lazyRouteComponent(() => import("../pages/jobs.tsx"), "JobsPage"),
  }),
  createRoute({
    ...at("/jobs/$id"),
    validateSearch: (search: Record<string, unknown>): { tab?: (typeof JOB_TABS)[number] | undefined } => ({
      tab: wordOf(search.tab, JOB_TABS),
    }),
    component: lazyRouteComponent(() => import("../pages/job.tsx"), "JobPage"),
  }),
  createRoute({
    ...at("/missions"),
    validateSearch: list,
    component: lazyRouteComponent(() => import("../pages/missions.tsx"), "MissionsPage"),
  }),
  createRoute({
    ...at("/missions/$id"),
    validateSearch: (
      search: Record<string, unknown>,
    ): { view?: (typeof MISSION_VIEWS)[number] | undefined; step?: string | undefined } => ({
      view: wordOf(search.view, MISSION_VIEWS),
      step: textOf(search.step),
    }),
    component: lazyRouteComponent(() => import("../pages/mission.tsx"), "MissionPage"),
  }),
  createRoute({
    ...at("/queues"),
    component: lazyRouteComponent(() => import("../pages/queues.tsx"), "QueuesPage"),
  }),
  createRoute({
    ...at("/workers"),
    component: lazyRouteComponent(() => import("../pages/workers.tsx"), "WorkersPage"),
  }),
  createRoute({
    ...at("/alerts"),
    validateSearch: (
      search: Record<string, unknown>,
    ): { show?: (typeof ALERT_LISTS)[number] | undefined; open?: string | undefined } => ({
      show: wordOf(search.show, ALERT_LISTS),
      open: textOf(search.open),
    }),
    component: lazyRouteComponent(() => import("../pages/alerts.tsx"), "AlertsPage"),
  }),
] as const;

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultPreload: "intent",
  scrollRestoration: true,
  parseSearch,
  stringifySearch: writeSearch,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
