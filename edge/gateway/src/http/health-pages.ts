import { Fault } from "@orrery/mesh/fault/fault";
import type { PageHandler } from "./pages.ts";

const HEADERS = { "content-type": "application/json", "cache-control": "no-store" };

/** Alive: the process answers. For anyone, without details. */
export const livePage: PageHandler = () => ({ status: 200, headers: HEADERS, body: '{"status":"ok"}' });

/**
 * Ready: the edge can take work, which needs the jobs service. For anyone; the details are on the admin port.
 */
export function readyPage(ready: () => boolean): PageHandler {
  return () => {
    if (ready()) return { status: 200, headers: HEADERS, body: '{"status":"ready"}' };
    throw new Fault("DEPENDENCY_UNAVAILABLE", { detail: "The edge is not ready.", retryAfterMs: 1_000 });
  };
}
