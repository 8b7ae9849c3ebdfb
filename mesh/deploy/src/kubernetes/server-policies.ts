/** Who may reach a server, as Linkerd enforces it by identity: the same edges as the network's. */
import { type Edge, PORTS } from "../call-graph.ts";
import { about, type Manifest } from "../manifest.ts";
import { podLabels } from "../names.ts";

/** What the proxy is told of a port: PostgreSQL and NATS speak first or end TLS themselves, so it looks at nothing. */
const SPEAKS: Readonly<Record<string, string>> = {
  postgres: "opaque",
  client: "opaque",
  cluster: "opaque",
  transport: "opaque",
  http: "HTTP/1",
  web: "HTTP/1",
};

/** The Servers of one server, and whom each lets in. */
export function serverPolicies(name: string, edges: readonly Edge[]): readonly Manifest[] {
  const byPort = Map.groupBy(
    edges.filter(({ to }) => to === name),
    ({ port }) => port,
  );
  return [...byPort].flatMap(([port, group]) =>
    letIn(
      name,
      port,
      group.map(({ from }) => from),
    ),
  );
}

function letIn(name: string, port: string, callers: readonly string[]): readonly Manifest[] {
  const title = `${name}-${port}`;
  return [
    {
      apiVersion: "policy.linkerd.io/v1beta3",
      kind: "Server",
      metadata: about(title, { of: name }),
      spec: {
        podSelector: { matchLabels: podLabels(name) },
        // By number: operators name the ports of their pods themselves.
        port: PORTS[name]?.[port] ?? 0,
        proxyProtocol: SPEAKS[port] ?? "unknown",
        accessPolicy: "deny",
      },
    },
    {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "MeshTLSAuthentication",
      metadata: about(title, { of: name }),
      spec: { identityRefs: callers.map((caller) => ({ kind: "ServiceAccount", name: caller })) },
    },
    {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "AuthorizationPolicy",
      metadata: about(title, { of: name }),
      spec: {
        targetRef: { group: "policy.linkerd.io", kind: "Server", name: title },
        requiredAuthenticationRefs: [
          { group: "policy.linkerd.io", kind: "MeshTLSAuthentication", name: title },
        ],
      },
    },
  ];
}
