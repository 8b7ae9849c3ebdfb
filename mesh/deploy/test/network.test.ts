import { describe, expect, test } from "@jest/globals";
import { buildImage, readContract } from "@orrery/contracts/image/contract-image";
import { CLIENTS, WORKLOADS } from "@orrery/mesh/topology";
import { type Resource, ROOT, type Rule, resourcesIn, type Selector } from "./resources.ts";

const { rpcs } = readContract(await buildImage(".", ROOT));
const folders = [
  "foundation",
  "migrations",
  "platform",
  ...["postgres-single", "nats-three", "elasticsearch-single", "observability"].map(
    (name) => `servers/${name}`,
  ),
];
const resources = resourcesIn(...folders);
const policies = resources.filter(({ kind }) => kind === "NetworkPolicy");

/** The process that a selector chooses. */
const nameOf = (selector: Selector | undefined): string =>
  Object.values(selector?.matchLabels ?? {})[0] ?? "*";

/** Proxies talk to each other on this port, whatever port is meant. */
const PROXY = 4143;

type End = "from" | "to";

/** Every connection that policies open at one end, as `from to port`. */
const opened = (end: End): ReadonlySet<string> =>
  new Set(
    policies.flatMap(({ spec }) => {
      const own = nameOf(spec.podSelector);
      const rules: readonly Rule[] = (end === "from" ? spec.ingress : spec.egress) ?? [];
      return rules.flatMap((rule) =>
        (rule[end] ?? [])
          .filter(({ podSelector }) => podSelector !== undefined)
          .flatMap(({ podSelector }) =>
            (rule.ports ?? [])
              .filter(({ port }) => port !== PROXY)
              .map(({ port }) => {
                const other = nameOf(podSelector);
                return end === "from" ? `${other} ${own} ${port}` : `${own} ${other} ${port}`;
              }),
          ),
      );
    }),
  );

/** The call graph, written down from the protos and the topology by other hands than the generator's. */
function expected(): ReadonlySet<string> {
  const edges = new Set<string>();
  for (const { rules, service } of rpcs) {
    for (const caller of rules.callers) edges.add(`${caller} ${service.workload} 7001`);
    for (const caller of ["operator", "prometheus"]) edges.add(`${caller} ${service.workload} 7001`);
  }
  for (const { name, database, nats } of WORKLOADS) {
    for (const reader of ["operator", "prometheus"]) edges.add(`${reader} ${name} 9001`);
    edges.add(`${name} observatory 9001`);
    if (database !== null) for (const one of [name, `${name}-migrations`]) edges.add(`${one} postgres 5432`);
    if (nats !== null) edges.add(`${name} nats 4222`);
  }
  for (const { name, nats } of CLIENTS) if (nats !== null) edges.add(`${name} nats 4222`);
  for (const edge of [
    "alertmanager alerts 9001",
    "alerts alertmanager 9093",
    "prometheus alertmanager 9093",
    "grafana prometheus 9090",
    "observatory elasticsearch 9200",
    "postgres postgres 5432",
    "nats nats 6222",
    "elasticsearch elasticsearch 9300",
    "operator prometheus 9090",
    "operator alertmanager 9093",
    "operator grafana 3000",
  ]) {
    edges.add(edge);
  }
  return edges;
}

const difference = (left: ReadonlySet<string>, right: ReadonlySet<string>) =>
  [...left].filter((edge) => !right.has(edge)).sort();

describe("the network", () => {
  const graph = expected();

  test.each<[string, End]>([
    ["called", "from"],
    ["calling", "to"],
  ])("opens at the %s end what the call graph has, and nothing else", (_which, end) => {
    expect({ missing: difference(graph, opened(end)), beyond: difference(opened(end), graph) }).toEqual({
      missing: [],
      beyond: [],
    });
    process.stdout.write(`network: ${graph.size} connections, open at the ${_which} end\n`);
  });

  test("every peer of the topology may be called", () => {
    const absent = WORKLOADS.flatMap(({ name, peers }) => peers.map((peer) => `${name} ${peer} 7001`)).filter(
      (edge) => !graph.has(edge),
    );
    expect(absent).toEqual([]);
  });

  test("is closed where no policy says otherwise, for every pod and both ways", () => {
    const [deny] = policies.filter(({ metadata }) => metadata.name === "deny-all");
    expect(deny?.spec).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  });

  test("lets the outside in at the gateway's two ports alone", () => {
    const open = policies.flatMap(({ metadata, spec }) =>
      (spec.ingress ?? [])
        .filter(({ from }) => from === undefined)
        .map(({ ports }) => [metadata.name, ports]),
    );
    expect(open).toEqual([["gateway", [8080, 8081].map((port) => ({ protocol: "TCP", port }))]]);
  });

  test("lets proxies reach each other wherever a connection is open", () => {
    const closed = policies.flatMap(({ metadata, spec }) =>
      [...(spec.ingress ?? []), ...(spec.egress ?? [])]
        .filter(({ from = [], to = [] }) =>
          [...from, ...to].some(({ podSelector }) => podSelector !== undefined),
        )
        .filter(({ ports = [] }) => !ports.some(({ port }) => port === PROXY))
        .map(() => metadata.name),
    );
    expect(closed).toEqual([]);
  });
});

describe("the mesh", () => {
  const servers = resources.filter(({ kind }) => kind === "Server");
  const callersOf = (title: string): readonly string[] => {
    const found = resources.find(
      ({ kind, metadata }) => kind === "MeshTLSAuthentication" && metadata.name === title,
    );
    const refs =
      (found?.spec as unknown as { identityRefs?: { name: string }[] } | undefined)?.identityRefs ?? [];
    return refs.map(({ name }) => name);
  };

  test("lets to each server whom the network lets to it", () => {
    const inMesh = servers.flatMap(({ metadata, spec }) => {
      const { port } = spec as unknown as { port: number };
      return callersOf(metadata.name).map((caller) => `${caller} ${nameOf(spec.podSelector)} ${port}`);
    });
    const toServers = [...expected()].filter(
      (edge) => !WORKLOADS.some(({ name }) => edge.split(" ")[1] === name),
    );
    expect(inMesh.sort()).toEqual(toServers.sort());
  });

  test("looks at nothing that PostgreSQL and NATS say, on either side", () => {
    const opaque = (resource: Resource) => resource.metadata.annotations?.["config.linkerd.io/opaque-ports"];
    const told = resources
      .filter(({ kind, metadata }) => kind === "Service" && /^(postgres|nats)/.test(metadata.name))
      .map((resource) => [resource.metadata.name, opaque(resource)]);
    expect(told).toEqual([
      ["postgres-rw", "5432"],
      ["nats", "4222,6222"],
      ["nats-replicas", "4222,6222"],
    ]);
    const pods = resources
      .filter(({ kind, metadata }) => kind === "StatefulSet" && ["postgres", "nats"].includes(metadata.name))
      .map(({ spec }) => spec.template?.metadata.annotations?.["config.linkerd.io/opaque-ports"]);
    expect(new Set(pods)).toEqual(new Set(["5432", "4222,6222"]));
  });

  test("is told that RPCs are HTTP/2 and admin ports HTTP", () => {
    const ports = resources
      .filter(
        ({ kind, metadata }) => kind === "Service" && WORKLOADS.some(({ name }) => name === metadata.name),
      )
      .flatMap(({ spec }) => spec.ports ?? []);
    const speaks = new Set(ports.map(({ name, appProtocol }) => `${name}: ${appProtocol}`));
    expect([...speaks].sort()).toEqual([
      "admin: http",
      "edge-grpc: undefined",
      "grpc: kubernetes.io/h2c",
      "http: undefined",
    ]);
  });
});
