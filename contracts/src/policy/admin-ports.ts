/**
 * The ports that carry no RPC: the admin port of every workload, where its readers, and who posts to it, get in and
 * nobody else; and what the edge shows the outside, where anyone may knock, since keys decide there.
 *
 * The kubelet's probes need no line here: Linkerd lets the httpGet probes of a pod's own manifest through, as long as
 * no route is attached to their Server. So the Server of an admin port has policies and never routes; which path is for
 * whom, the process decides by the identity that the proxy tells it.
 */
import { ADMIN_READERS } from "@orrery/mesh/health/admin-server";
import { WORKLOADS, type Workload, type WorkloadName } from "@orrery/mesh/topology";
import { letIn, type Manifest, server } from "./linkerd.ts";

/** The name of the port that health, metrics and documents are served on. */
export const ADMIN_PORT = "admin";

/** The names of the ports that face the outside, where a workload has one. */
export const PUBLIC_PORTS = ["http", "edge-grpc"] as const;

/** Who posts to an admin port: Alertmanager its alerts, every workload its spans. */
const POSTERS: Partial<Readonly<Record<WorkloadName, readonly string[]>>> = {
  alerts: ["alertmanager"],
  observatory: WORKLOADS.map(({ name }) => name),
};

/** Who may open a connection to a workload's admin port, by name, each once. */
export const adminCallers = (workload: WorkloadName): readonly string[] =>
  [...new Set([...ADMIN_READERS, ...(POSTERS[workload] ?? [])])].sort();

/** What Linkerd is told of a workload's ports without RPCs. */
export function portPolicies({ name, ports }: Pick<Workload, "name" | "ports">): readonly Manifest[] {
  const admin = `${name}-${ADMIN_PORT}`;
  return [
    server(name, ADMIN_PORT, { proxyProtocol: "HTTP/1", accessPolicy: "deny" }),
    ...letIn(admin, adminCallers(name), { group: "policy.linkerd.io", kind: "Server", name: admin }),
    // TLS ends in the process there, so the proxy finds out by itself what it carries.
    ...(ports.http === undefined ? [] : PUBLIC_PORTS).map((port) =>
      server(name, port, { proxyProtocol: "unknown", accessPolicy: "all-unauthenticated" }),
    ),
  ];
}
