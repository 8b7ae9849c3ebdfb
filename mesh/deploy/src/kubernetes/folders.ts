/** The folders of `kubernetes/` that kustomize builds on, with everything in them. */
import type { Contract } from "@orrery/contracts/image/contract-image";
import { NAMESPACE } from "@orrery/contracts/policy/names";
import { WORKLOADS } from "@orrery/mesh/topology";
import { callGraph, type Edge } from "../call-graph.ts";
import { type Files, kustomization, type Manifest, yamlFile } from "../manifest.ts";
import type { ServerName } from "../names.ts";
import { operatedElasticsearch, rolesFile, singleElasticsearch } from "./elasticsearch.ts";
import { foundation } from "./foundation.ts";
import { migrations } from "./migrations.ts";
import { type NatsSize, nats, natsFiles } from "./nats.ts";
import { networkPolicy } from "./network.ts";
import { observability, observabilityFiles } from "./observability.ts";
import { disruption } from "./pod.ts";
import { cloudnativePostgres, postgresFiles, singlePostgres } from "./postgres.ts";
import { serverPolicies } from "./server-policies.ts";
import { configurationOf, workloadFiles } from "./workload.ts";

type FolderFile = readonly [path: string, text: string];

const KIND_NATS: NatsSize = { replicas: 1, diskGiB: 10 };
const PRODUCTION_NATS: NatsSize = { replicas: 3, diskGiB: 100 };

/** How many of each run in production. */
const PRODUCTION_REPLICAS = 2;

/** Every generated file below `kubernetes/`, by its path from mesh/deploy. */
export function kubernetesFiles(contract: Contract): Files {
  const edges = callGraph(contract);
  const folders: readonly (readonly [string, readonly FolderFile[]])[] = [
    ["foundation", folder([["foundation.yaml", foundation()]])],
    ["migrations", folder([["migrations.yaml", migrations(edges)]])],
    ["platform", platform(edges)],
    ["replicated", replicated()],
    ["servers/postgres-single", single("postgres", singlePostgres(), edges, postgresFiles())],
    ["servers/postgres-cloudnative", server("postgres", cloudnativePostgres(), edges)],
    ["servers/nats-single", single("nats", nats(KIND_NATS), edges, natsFiles(KIND_NATS))],
    ["servers/nats-three", single("nats", nats(PRODUCTION_NATS), edges, natsFiles(PRODUCTION_NATS))],
    ["servers/elasticsearch-single", server("elasticsearch", singleElasticsearch(), edges)],
    ["servers/elasticsearch-operated", operated(edges)],
    ["servers/observability", watching(edges)],
  ];
  return new Map(
    folders.flatMap(([name, files]) =>
      files.map(([path, text]) => [`kubernetes/${name}/${path}`, text] as const),
    ),
  );
}

/** Resources in files, with what kustomize reads beside them. */
function folder(
  files: readonly (readonly [string, readonly Manifest[]])[],
  more: object = {},
  plain: readonly FolderFile[] = [],
): readonly FolderFile[] {
  const resources = files.map(([path]) => path);
  return [
    ["kustomization.yaml", yamlFile([kustomization({ resources, ...more })])],
    ...files.map(([path, manifests]) => [path, yamlFile(manifests)] as const),
    ...plain,
  ];
}

/** A server, who may reach it by the network and who by the mesh. */
const server = (
  name: ServerName,
  manifests: readonly Manifest[],
  edges: readonly Edge[],
  more: object = {},
  plain: readonly FolderFile[] = [],
): readonly FolderFile[] =>
  folder(
    [
      [`${name}.yaml`, manifests],
      ["access.yaml", access([name], edges)],
    ],
    more,
    plain,
  );

/** A server that is told its settings by files, which a rollout follows: their name changes with what they hold. */
const single = (
  name: ServerName,
  manifests: readonly Manifest[],
  edges: readonly Edge[],
  files: readonly FolderFile[],
): readonly FolderFile[] => {
  const settings = { name: `${name}-settings`, namespace: NAMESPACE, files: files.map(([path]) => path) };
  return server(name, manifests, edges, { configMapGenerator: [settings] }, files);
};

function operated(edges: readonly Edge[]): readonly FolderFile[] {
  const files = rolesFile().map(([path, value]): FolderFile => [path, yamlFile([value])]);
  const secret = { name: "elasticsearch-roles", namespace: NAMESPACE, files: files.map(([path]) => path) };
  // The operator's resource is none that kustomize knows to hold names: this one keeps its own.
  const more = { secretGenerator: [{ ...secret, options: { disableNameSuffixHash: true } }] };
  return server("elasticsearch", operatedElasticsearch(), edges, more, files);
}

function watching(edges: readonly Edge[]): readonly FolderFile[] {
  const names = ["prometheus", "alertmanager", "grafana"] as const;
  const files = observabilityFiles();
  return folder(
    [
      ["observability.yaml", observability()],
      ["access.yaml", access(names, edges)],
    ],
    {
      // Rules, dashboards and data sources are built where they are kept.
      resources: ["observability.yaml", "access.yaml", "../../../../observability"],
      configMapGenerator: files.map(([path]) => ({
        name: `${path.replace(".yaml", "")}-settings`,
        namespace: NAMESPACE,
        files: [path],
      })),
    },
    files,
  );
}

const access = (names: readonly ServerName[], edges: readonly Edge[]): readonly Manifest[] =>
  names.flatMap((name) => {
    const network = networkPolicy(name, edges);
    return [...(network === undefined ? [] : [network]), ...serverPolicies(name, edges)];
  });

function platform(edges: readonly Edge[]): readonly FolderFile[] {
  const files = WORKLOADS.flatMap(workloadFiles);
  const names = [...WORKLOADS.map(({ name }) => name), "operator"];
  const network = names.flatMap((name) => networkPolicy(name, edges) ?? []);
  const fields = {
    resources: [...files.map(([path]) => path).filter((path) => path.endsWith(".yaml")), "network.yaml"],
    // Who may call what, as Linkerd enforces it, comes from the contracts.
    components: ["../../../../contracts/policy"],
    // A changed setting is a new name, and a new name rolls the Deployment out.
    configMapGenerator: WORKLOADS.map(({ name }) => ({
      name: configurationOf(name),
      namespace: NAMESPACE,
      envs: [`${name}.env`],
    })),
  };
  return [
    ["kustomization.yaml", yamlFile([kustomization(fields)])],
    ["network.yaml", yamlFile(network)],
    ...files,
  ];
}

/** Several of each workload, and never two of them taken away at once. */
function replicated(): readonly FolderFile[] {
  const component = {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    resources: ["disruption.yaml"],
    replicas: WORKLOADS.map(({ name }) => ({ name, count: PRODUCTION_REPLICAS })),
    // An observatory keeps the spans that it is sent, and of several each would have a part: none is sent.
    configMapGenerator: WORKLOADS.map(({ name }) => ({
      name: configurationOf(name),
      namespace: NAMESPACE,
      behavior: "merge",
      literals: ["ORRERY_OTLP_URL=off", ...(name === "observatory" ? ["ORRERY_TRACE_DIR="] : [])],
    })),
  };
  return [
    ["kustomization.yaml", yamlFile([component])],
    ["disruption.yaml", yamlFile(WORKLOADS.map(({ name }) => disruption(name)))],
  ];
}
