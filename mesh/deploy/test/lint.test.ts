import { describe, expect, test } from "@jest/globals";
import { poolSize, RESERVED_CONNECTIONS, WORKLOADS } from "@orrery/mesh/topology";
import { MAX_CONNECTIONS } from "../src/postgres-settings.ts";
import { LINT_RULES, lintProblems, PLATFORM_RULES } from "./lint.ts";
import { type Container, type PodSpec, type Resource, resourcesIn, variablesIn } from "./resources.ts";

const platform = resourcesIn("foundation", "platform");
/** What kustomize makes of the env files, so far as the rules look. */
const maps: readonly Resource[] = WORKLOADS.map(({ name }) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: `${name}-configuration`, namespace: "orrery" },
  spec: {},
  data: variablesIn(`kubernetes/platform/${name}.env`),
}));
const whole = [...platform, ...maps];
const rules = [...LINT_RULES, ...PLATFORM_RULES];

type Spoil = (resources: Resource[], pod: Open<PodSpec>, container: Open<Container>) => void;
type Open<Part> = { -readonly [Field in keyof Part]: Part[Field] } & Record<string, unknown>;

const deployment = (resources: readonly Resource[]): Resource => {
  const found = resources.find(({ kind }) => kind === "Deployment");
  if (found === undefined) throw new Error("there is no Deployment");
  return found;
};

/** One mistake for each rule, planted in the first Deployment. */
const MISTAKES: readonly (readonly [rule: string, mistake: Spoil])[] = [
  [
    "every resource stands in the namespace orrery",
    (resources) => Object.assign(deployment(resources).metadata, { namespace: "default" }),
  ],
  ["no two resources of a kind have one name", (resources) => void resources.push(...resources.slice(0, 1))],
  ["a container has a limit of memory, is promised", (_r, _p, container) => void delete container.resources],
  ["a server is probed at its start", (_r, _p, container) => void delete container.startupProbe],
  [
    "a probe asks by HTTP",
    (_r, _p, container) => Object.assign(container, { livenessProbe: { grpc: { port: 7001 } } }),
  ],
  [
    "a probe asks by HTTP",
    (_r, _p, container) =>
      Object.assign(container, { livenessProbe: { httpGet: { port: "amin", path: "/" } } }),
  ],
  ["a container has no rights", (_r, _p, container) => void delete container.securityContext],
  ["a pod runs as a user of its own", (_r, pod) => void delete pod.securityContext],
  ["a pod's account is there", (_r, pod) => Object.assign(pod, { serviceAccountName: "jobz" })],
  [
    "a pod is in the mesh",
    (resources) =>
      Object.assign(resources.find(({ kind }) => kind === "Deployment")?.spec.template?.metadata ?? {}, {
        annotations: {},
      }),
  ],
  [
    "an image has a version that does not move",
    (_r, _p, container) => Object.assign(container, { image: "orrery/jobs:latest" }),
  ],
  [
    "a Service leads to a port that its pods have",
    (_r, _p, container) => Object.assign(container, { ports: [] }),
  ],
  [
    "no secret stands in the repository",
    (resources) =>
      void resources.push({
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name: "keys", namespace: "orrery" },
        spec: {},
      }),
  ],
  [
    "no variable holds a secret",
    (_r, _p, container) => Object.assign(container, { env: [{ name: "PGPASSWORD", value: "secret" }] }),
  ],
  [
    "every process of the topology is there",
    (resources) =>
      void resources.splice(
        resources.findIndex(({ kind }) => kind === "Service"),
        1,
      ),
  ],
  [
    "of several replicas one at a time",
    (resources) =>
      Object.assign(resources.find(({ kind }) => kind === "Deployment")?.spec ?? {}, { replicas: 3 }),
  ],
  ["every pod has a ConfigMap that is there", (resources) => void resources.splice(-WORKLOADS.length)],
];

describe("the manifests", () => {
  test("keep every rule", () => {
    expect(lintProblems(whole, rules)).toEqual([]);
  });

  test.each(MISTAKES)("are found out where one breaks: %s", (title, mistake) => {
    const copy = structuredClone(whole) as Resource[];
    const pod = copy.find(({ kind }) => kind === "Deployment")?.spec.template?.spec;
    const [container] = pod?.containers ?? [];
    if (pod === undefined || container === undefined) throw new Error("there is no Deployment");
    mistake(copy, pod as Open<PodSpec>, container as Open<Container>);
    expect(lintProblems(copy, rules).some((problem) => problem.startsWith(title))).toBe(true);
  });

  test("have a mistake planted for every rule", () => {
    const unplanted = rules.filter(({ name }) => !MISTAKES.some(([title]) => name.startsWith(title)));
    expect(unplanted.map(({ name }) => name)).toEqual([]);
  });

  test("give a process longer to stop than it takes by itself", () => {
    for (const { metadata, spec } of platform.filter(({ kind }) => kind === "Deployment")) {
      const variables = variablesIn(`kubernetes/platform/${metadata.name}.env`);
      const seconds = (name: string): number => Number.parseInt(variables[name] ?? "0", 10);
      // After drain delay and drain a process ends itself within ten seconds (mesh/chassis/src/lifecycle/service.ts).
      const takes = seconds("ORRERY_DRAIN_DELAY") + seconds("ORRERY_DRAIN") + 10;
      expect(seconds("ORRERY_WORKER_DRAIN")).toBeLessThanOrEqual(10);
      expect(spec.template?.spec.terminationGracePeriodSeconds).toBeGreaterThan(takes);
    }
  });

  test("give every workload the memory that the topology has for it, and a heap that fits", () => {
    for (const { name, memory } of WORKLOADS) {
      const deployment = platform.find(
        ({ kind, metadata }) => kind === "Deployment" && metadata.name === name,
      );
      const [container] = deployment?.spec.template?.spec.containers ?? [];
      expect(container?.resources?.limits?.memory).toBe(`${memory.limitMiB}Mi`);
      expect(memory.oldSpaceMiB + memory.semiSpaceMiB).toBeLessThan(memory.limitMiB);
    }
  });

  test("open no more connections than PostgreSQL takes, two replicas and one that is being rolled out", () => {
    const pools = WORKLOADS.reduce(
      (sum, { database }) => sum + (database === null ? 0 : poolSize(database)),
      0,
    );
    expect(3 * pools + RESERVED_CONNECTIONS).toBeLessThanOrEqual(MAX_CONNECTIONS);
  });
});
