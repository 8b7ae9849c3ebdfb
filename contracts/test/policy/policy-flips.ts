import type { Resource } from "./policy-evaluator.ts";

/** Manifests with one thing wrong in them. */
export interface Flip {
  readonly title: string;
  readonly resources: readonly Resource[];
}

type Choose = <Item>(items: readonly Item[]) => Item;
type Spoil = (resources: Resource[], choose: Choose) => string;

const of = (resources: readonly Resource[], kind: string): readonly Resource[] =>
  resources.filter((resource) => resource.kind === kind);

const inbound = (resources: readonly Resource[]): readonly Resource[] =>
  of(resources, "GRPCRoute").filter(({ spec }) => spec.parentRefs[0]?.kind === "Server");

const SPOILS: readonly Spoil[] = [
  (resources, choose) => {
    const { metadata, spec } = choose(of(resources, "MeshTLSAuthentication"));
    const [gone, ...rest] = spec.identityRefs ?? [];
    spec.identityRefs = rest;
    return `${metadata.name} no longer knows ${gone?.name}`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(of(resources, "MeshTLSAuthentication"));
    spec.identityRefs?.push({ kind: "ServiceAccount", name: "alertmanager" });
    return `${metadata.name} knows alertmanager`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(of(resources, "MeshTLSAuthentication"));
    delete spec.identityRefs;
    spec.identities = ["*"];
    return `${metadata.name} knows everybody`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(of(resources, "MeshTLSAuthentication"));
    for (const ref of spec.identityRefs ?? []) ref.namespace = "default";
    return `${metadata.name} looks in another namespace`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(inbound(resources));
    const rule = choose(spec.rules);
    const gone = rule.matches.splice(0, 1)[0]?.method;
    if (rule.matches.length === 0) spec.rules.splice(spec.rules.indexOf(rule), 1);
    return `${metadata.name} no longer matches ${gone?.service}/${gone?.method ?? "*"}`;
  },
  (resources, choose) => {
    const from = choose(inbound(resources));
    const all = of(resources, "MeshTLSAuthentication");
    const own = all.find(({ metadata }) => metadata.name === from.metadata.name);
    // One that knows the same callers under another name would be no difference.
    const to = choose(
      all.filter(({ spec }) => JSON.stringify(spec.identityRefs) !== JSON.stringify(own?.spec.identityRefs)),
    );
    const policy = of(resources, "AuthorizationPolicy").find(
      ({ spec }) => spec.targetRef.name === from.metadata.name,
    );
    const [ref] = policy?.spec.requiredAuthenticationRefs ?? [];
    if (ref !== undefined) ref.name = to.metadata.name;
    return `${from.metadata.name} asks for ${to.metadata.name}`;
  },
  (resources, choose) => {
    const gone = choose(of(resources, "AuthorizationPolicy"));
    resources.splice(resources.indexOf(gone), 1);
    return `${gone.metadata.name} has no policy`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(of(resources, "AuthorizationPolicy"));
    const server = choose(of(resources, "Server"));
    spec.targetRef = { group: "policy.linkerd.io", kind: "Server", name: server.metadata.name };
    return `the policy of ${metadata.name} is one of all of ${server.metadata.name}`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(of(resources, "AuthorizationPolicy"));
    spec.requiredAuthenticationRefs = [];
    return `${metadata.name} asks for nothing`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(of(resources, "Server"));
    spec.proxyProtocol = "HTTP/2";
    return `${metadata.name} says HTTP/2, and its routes are not looked at`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(of(resources, "Server"));
    spec.accessPolicy = "all-authenticated";
    return `${metadata.name} lets in whoever has a certificate`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(inbound(resources));
    for (const parent of spec.parentRefs) parent.name = `${parent.name}-old`;
    return `${metadata.name} hangs on a Server that is not there`;
  },
  (resources, choose) => {
    const { metadata, spec } = choose(inbound(resources));
    const { method } = choose(choose(spec.rules).matches);
    method.method = `${method.method ?? "Check"}s`;
    return `${metadata.name} misspells ${method.method}`;
  },
];

/** Manifests, each with one thing wrong that the seed chooses; no two alike. */
export function plantedFlips(
  manifests: readonly Resource[],
  { count, seed }: { count: number; seed: number },
): readonly Flip[] {
  let state = seed;
  const next = (below: number): number => {
    // Numerical Recipes' generator: good enough to choose, and the same everywhere.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const choose: Choose = (items) => {
    const item = items[next(items.length)];
    if (item === undefined) throw new Error("there is nothing to choose from");
    return item;
  };
  const flips = new Map<string, Flip>();
  for (let at = 0; flips.size < count; at += 1) {
    const resources = structuredClone(manifests) as Resource[];
    const spoil = SPOILS[at % SPOILS.length];
    const title = spoil?.(resources, choose) ?? "";
    if (title !== "") flips.set(title, { title, resources });
  }
  return [...flips.values()];
}
