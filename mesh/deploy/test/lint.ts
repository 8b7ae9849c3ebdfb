/** What no schema asks for and every manifest of ours keeps: one rule each, with what to do instead. */
import { WORKLOADS } from "@orrery/mesh/topology";
import { type Container, type PodSpec, type Resource, templateOf } from "./resources.ts";

/** One thing that a set of manifests may not do. */
export interface LintRule {
  readonly name: string;
  /** Everything that breaks it, as `Kind/name: what`. */
  check(resources: readonly Resource[]): readonly string[];
}

const idOf = ({ kind, metadata }: Resource): string => `${kind}/${metadata.name}`;

const podOf = (resource: Resource): PodSpec | undefined => templateOf(resource)?.spec;

/** Goes through every container of every pod. */
const eachContainer =
  (look: (container: Container, resource: Resource) => string | undefined): LintRule["check"] =>
  (resources) =>
    resources.flatMap((resource) =>
      (podOf(resource)?.containers ?? []).flatMap((container) => {
        const wrong = look(container, resource);
        return wrong === undefined ? [] : [`${idOf(resource)}: ${container.name} ${wrong}`];
      }),
    );

const eachPod =
  (look: (pod: PodSpec, resource: Resource) => string | undefined): LintRule["check"] =>
  (resources) =>
    resources.flatMap((resource) => {
      const pod = podOf(resource);
      const wrong = pod === undefined ? undefined : look(pod, resource);
      return wrong === undefined ? [] : [`${idOf(resource)}: ${wrong}`];
    });

/** Containers that may write to their root file system, and why. */
const WRITES_ROOT: Readonly<Record<string, string>> = {
  elasticsearch: "it makes a keystore beside its configuration at every start",
};

/** Secrets that may stand in the repository, and why. */
const PUBLIC_SECRETS: Readonly<Record<string, string>> = {
  "elasticsearch-roles": "the operator reads roles from a Secret only, and roles are none",
};

const CLUSTER_WIDE = new Set(["Namespace"]);

/** Beside a server, needs no probe: the server has its own, and lives without it. */
const HELPERS = new Set(["reloader"]);

export const LINT_RULES: readonly LintRule[] = [
  {
    name: "every resource stands in the namespace orrery",
    check: (resources) =>
      resources
        .filter(({ kind, metadata }) => !CLUSTER_WIDE.has(kind) && metadata.namespace !== "orrery")
        .map(
          (resource) => `${idOf(resource)}: is in ${resource.metadata.namespace ?? "the default namespace"}`,
        ),
  },
  {
    name: "no two resources of a kind have one name",
    check: (resources) => {
      const counts = Map.groupBy(resources, (resource) => `${resource.apiVersion} ${idOf(resource)}`);
      return [...counts].filter(([, group]) => group.length > 1).map(([id]) => `${id}: stands there twice`);
    },
  },
  {
    name: "a container has a limit of memory, is promised all of it, and a share of the processor",
    check: eachContainer(({ resources: { limits, requests } = {} }) => {
      if (limits?.memory === undefined) return "has no limit of memory";
      if (requests?.memory !== limits.memory) return "is not promised the memory that it may take";
      return requests.cpu === undefined ? "is promised no processor" : undefined;
    }),
  },
  {
    name: "a server is probed at its start, for readiness and for life",
    check: eachContainer(({ name, startupProbe, readinessProbe, livenessProbe }, { kind }) => {
      if (kind === "Job" || HELPERS.has(name)) return undefined;
      const absent = Object.entries({ startupProbe, readinessProbe, livenessProbe }).filter(
        ([, probe]) => !probe,
      );
      return absent.length > 0 ? `has no ${absent.map(([probe]) => probe).join(", ")}` : undefined;
    }),
  },
  {
    // Linkerd lets through what the kubelet asks by HTTP, and refuses its gRPC on a port that denies.
    name: "a probe asks by HTTP, at a port that the container has",
    check: eachContainer(({ ports = [], startupProbe, readinessProbe, livenessProbe }) => {
      for (const probe of [startupProbe, readinessProbe, livenessProbe]) {
        if (probe === undefined || probe.exec !== undefined) continue;
        if (probe.grpc !== undefined || probe.httpGet === undefined)
          return "is probed otherwise than by HTTP";
        const { port } = probe.httpGet;
        if (!ports.some(({ name }) => name === port)) return `is probed at ${port}, which it does not have`;
      }
      return undefined;
    }),
  },
  {
    name: "a container has no rights",
    check: eachContainer(({ name, securityContext = {} }) => {
      if (securityContext.allowPrivilegeEscalation !== false) return "may gain privileges";
      if (JSON.stringify(securityContext.capabilities) !== '{"drop":["ALL"]}') return "has capabilities";
      if (securityContext.readOnlyRootFilesystem !== true && !(name in WRITES_ROOT))
        return "writes to its root";
      return undefined;
    }),
  },
  {
    name: "a pod runs as a user of its own, without root and without a token",
    check: eachPod(({ securityContext = {}, automountServiceAccountToken, serviceAccountName }) => {
      if (securityContext.runAsNonRoot !== true || !securityContext.runAsUser) return "may run as root";
      if (JSON.stringify(securityContext.seccompProfile) !== '{"type":"RuntimeDefault"}')
        return "has no seccomp";
      if (automountServiceAccountToken !== false) return "is given a token of the API server";
      return serviceAccountName === undefined || serviceAccountName === "default"
        ? "has no identity of its own"
        : undefined;
    }),
  },
  {
    name: "a pod's account is there",
    check: (resources) => {
      const accounts = new Set(
        resources.filter(({ kind }) => kind === "ServiceAccount").map(({ metadata }) => metadata.name),
      );
      return eachPod(({ serviceAccountName = "" }) =>
        accounts.has(serviceAccountName) ? undefined : `its account ${serviceAccountName} is not there`,
      )(resources);
    },
  },
  {
    name: "a pod is in the mesh, by a sidecar that ends last",
    check: eachPod((_pod, resource) => {
      const annotations = templateOf(resource)?.metadata.annotations ?? {};
      if (annotations["linkerd.io/inject"] !== "enabled") return "is not in the mesh";
      return annotations["config.beta.linkerd.io/proxy-enable-native-sidecar"] === "true"
        ? undefined
        : "has a proxy that ends with it or before";
    }),
  },
  {
    name: "an image has a version that does not move",
    check: eachContainer(({ image }) =>
      /@sha256:[0-9a-f]{64}$|:v?\d+\.\d+(\.\d+)?[\w.-]*$/.test(image) ? undefined : `runs ${image}`,
    ),
  },
  {
    name: "a Service leads to a port that its pods have",
    check: (resources) =>
      resources
        .filter(({ kind }) => kind === "Service")
        .flatMap((service) => {
          const chosen = resources.filter((one) =>
            covers(templateOf(one)?.metadata.labels, service.spec.selector as Record<string, string>),
          );
          const has = chosen
            .flatMap((resource) => podOf(resource)?.containers ?? [])
            .flatMap(({ ports = [] }) => ports);
          return (service.spec.ports ?? [])
            .filter(
              ({ port, targetPort }) =>
                !has.some(({ name, containerPort }) => name === targetPort && containerPort === port),
            )
            .map(({ name }) => `${idOf(service)}: nothing behind it has the port ${name}`);
        }),
  },
  {
    name: "no secret stands in the repository",
    check: (resources) =>
      resources
        .filter(({ kind, metadata }) => kind === "Secret" && !(metadata.name in PUBLIC_SECRETS))
        .map((resource) => `${idOf(resource)}: belongs to a secret manager`),
  },
  {
    name: "no variable holds a secret",
    check: (resources) => [
      ...eachContainer(({ env = [] }) => {
        const told = env.find(({ name, value }) => /PASSWORD|TOKEN|SECRET/.test(name) && value !== undefined);
        return told === undefined ? undefined : `is told ${told.name}`;
      })(resources),
      ...resources
        .filter(({ kind }) => kind === "ConfigMap")
        .filter(({ data = {} }) => Object.keys(data).some((name) => /PASSWORD|TOKEN$|SECRET/.test(name)))
        .map((resource) => `${idOf(resource)}: names a secret`),
    ],
  },
];

const covers = (
  labels: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> | undefined,
): boolean =>
  labels !== undefined &&
  wanted !== undefined &&
  Object.entries(wanted).every(([name, value]) => labels[name] === value);

/** What has to be there for every process of the topology. */
export const PLATFORM_RULES: readonly LintRule[] = [
  {
    name: "every process of the topology is there, with an address, an account and a network policy",
    check: (resources) => {
      const there = new Set(resources.map(idOf));
      return WORKLOADS.flatMap(({ name }) =>
        ["Deployment", "Service", "ServiceAccount", "NetworkPolicy"].map((kind) => `${kind}/${name}`),
      ).filter((id) => !there.has(id));
    },
  },
  {
    name: "of several replicas one at a time may be taken away, and they stand apart",
    check: (resources) => {
      const budgets = new Set(
        resources.filter(({ kind }) => kind === "PodDisruptionBudget").map(({ metadata }) => metadata.name),
      );
      return resources
        .filter(({ kind, spec }) => kind === "Deployment" && (spec.replicas ?? 1) > 1)
        .flatMap((resource) => [
          ...(budgets.has(resource.metadata.name) ? [] : [`${idOf(resource)}: has no PodDisruptionBudget`]),
          ...((podOf(resource)?.topologySpreadConstraints ?? []).length > 0
            ? []
            : [`${idOf(resource)}: its replicas may all be on one node`]),
        ]);
    },
  },
  {
    name: "every pod has a ConfigMap that is there",
    check: (resources) => {
      const maps = new Set(
        resources.filter(({ kind }) => kind === "ConfigMap").map(({ metadata }) => metadata.name),
      );
      return eachContainer(({ envFrom = [] }) => {
        const absent = envFrom.find(({ configMapRef }) => !maps.has(configMapRef.name));
        return absent === undefined ? undefined : `reads ${absent.configMapRef.name}, which is not there`;
      })(resources);
    },
  },
];

/** Everything that a set of manifests breaks, as `rule: Kind/name: what`. */
export const lintProblems = (
  resources: readonly Resource[],
  rules: readonly LintRule[] = LINT_RULES,
): readonly string[] =>
  rules.flatMap((rule) => rule.check(resources).map((wrong) => `${rule.name}: ${wrong}`));
