/** The namespace that every workload runs in. */
export const NAMESPACE = "orrery";

/** The label by which a workload's pods are chosen. */
export const WORKLOAD_LABEL = "app.kubernetes.io/name";

/** The name of the port that RPCs come in by. */
export const GRPC_PORT = "grpc";

/** What Linkerd can repeat a gRPC call on; it drops a route that names another condition. */
export const LINKERD_RETRY_CONDITIONS: readonly string[] = [
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
];

/** The most matches that one rule of a route may have, and the most rules of one route (Gateway API v1). */
export const MATCHES_OF_A_RULE = 8;
export const RULES_OF_A_ROUTE = 16;
