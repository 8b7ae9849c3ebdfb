/**
 * Decides over calls as Linkerd's proxy would, from manifests alone. It was written from Linkerd's documentation of
 * its policy resources, and shares no line with what makes the manifests: where the two agree, neither is guessing.
 */
import { parseAllDocuments } from "yaml";

/** What a rule of a GRPCRoute takes. */
interface Rule {
  matches: { method: { type?: string; service?: string; method?: string } }[];
}

interface Ref {
  group?: string;
  kind: string;
  name: string;
  namespace?: string;
}

/** A manifest as YAML has it. Of `spec` each kind has its own part; the schemas of the test hold it to that. */
export interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace: string; annotations?: Record<string, string> };
  spec: {
    // Server
    podSelector: { matchLabels: Record<string, string> };
    port: string;
    proxyProtocol: string;
    accessPolicy?: string;
    // GRPCRoute
    parentRefs: Ref[];
    rules: Rule[];
    // AuthorizationPolicy
    targetRef: Ref;
    requiredAuthenticationRefs: Ref[];
    // MeshTLSAuthentication
    identities?: string[];
    identityRefs?: Ref[];
  };
}

/** One call: from whom, to which pod, and what for. */
export interface PolicyCall {
  /** The identity that the proxy verified; undefined for a client without one. */
  readonly identity: string | undefined;
  readonly podLabels: Readonly<Record<string, string>>;
  readonly port: string;
  readonly service: string;
  readonly method: string;
}

/** The manifests of a YAML text. */
export function resourcesOf(yaml: string): Resource[] {
  return parseAllDocuments(yaml).map((document) => document.toJS() as Resource);
}

/** The name that Linkerd gives a service account. */
export function identityOf(account: string, namespace = "orrery"): string {
  return `${account}.${namespace}.serviceaccount.identity.linkerd.cluster.local`;
}

/** Whether a call reaches its pod. */
export function admits(resources: readonly Resource[], call: PolicyCall): boolean {
  const server = resources.find(
    ({ kind, spec }) =>
      kind === "Server" && spec.port === call.port && hasLabels(call.podLabels, spec.podSelector.matchLabels),
  );
  // A port without a Server falls under the cluster's default, which a default-deny cluster refuses.
  if (server === undefined) return false;
  const policies = resources.filter(({ kind }) => kind === "AuthorizationPolicy");
  const onServer = policies.filter(({ spec }) => targets(spec.targetRef, "Server", server.metadata.name));
  // GRPCRoutes are only sent to the proxy for a Server that says gRPC.
  const routes = server.spec.proxyProtocol === "gRPC" ? routesTo(resources, server.metadata.name) : [];
  if (routes.length > 0) {
    const route = bestRoute(routes, call);
    // With routes attached, what matches none of them is not found.
    if (route === undefined) return false;
    const onRoute = policies.filter(({ spec }) => targets(spec.targetRef, "GRPCRoute", route.metadata.name));
    if ([...onRoute, ...onServer].some((policy) => isAuthorized(resources, policy, call.identity)))
      return true;
  } else if (onServer.some((policy) => isAuthorized(resources, policy, call.identity))) {
    return true;
  }
  return byDefault(server.spec.accessPolicy ?? "deny", call.identity);
}

function byDefault(accessPolicy: string, identity: string | undefined): boolean {
  if (accessPolicy === "all-unauthenticated" || accessPolicy === "audit") return true;
  return accessPolicy === "all-authenticated" && identity !== undefined;
}

function hasLabels(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

function targets(ref: Ref, kind: string, name: string): boolean {
  return ref.kind === kind && ref.name === name;
}

function routesTo(resources: readonly Resource[], server: string): readonly Resource[] {
  return resources.filter(
    ({ kind, spec }) =>
      kind === "GRPCRoute" &&
      spec.parentRefs.some(
        (parent) =>
          parent.group === "policy.linkerd.io" && parent.kind === "Server" && parent.name === server,
      ),
  );
}

/** Of all routes with a match the one that says most: a method before a whole service; then the first by name. */
function bestRoute(routes: readonly Resource[], call: PolicyCall): Resource | undefined {
  const ranked = routes
    .map((route) => ({ route, rank: rankOf(route, call) }))
    .filter(({ rank }) => rank > 0)
    .sort(
      (left, right) =>
        right.rank - left.rank || (left.route.metadata.name < right.route.metadata.name ? -1 : 1),
    );
  return ranked[0]?.route;
}

function rankOf({ spec }: Resource, { service, method }: PolicyCall): number {
  let best = 0;
  for (const { matches } of spec.rules) {
    // A rule without matches takes everything.
    if (matches.length === 0) best = Math.max(best, 1);
    for (const { method: wanted } of matches) {
      if (wanted.type !== "Exact" || wanted.service !== service) continue;
      if (wanted.method === method) best = Math.max(best, 3);
      else if (wanted.method === undefined) best = Math.max(best, 2);
    }
  }
  return best;
}

/** Every authentication that a policy requires has to hold; within one, any identity will do. */
function isAuthorized(
  resources: readonly Resource[],
  { spec }: Resource,
  identity: string | undefined,
): boolean {
  const refs = spec.requiredAuthenticationRefs as { kind: string; name: string }[];
  return refs.every((ref) => {
    if (ref.kind !== "MeshTLSAuthentication") return false;
    const authentication = resources.find(
      ({ kind, metadata }) => kind === "MeshTLSAuthentication" && metadata.name === ref.name,
    );
    if (authentication === undefined || identity === undefined) return false;
    const { identities = [], identityRefs = [] } = authentication.spec;
    return (
      identities.some((one) => one === "*" || one === identity) ||
      identityRefs.some(
        ({ kind, name, namespace }) =>
          kind === "ServiceAccount" &&
          identityOf(name, namespace ?? authentication.metadata.namespace) === identity,
      )
    );
  });
}
