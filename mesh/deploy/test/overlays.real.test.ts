import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { WORKLOADS } from "@orrery/mesh/topology";
import { manifestProblems } from "../../../contracts/test/policy/policy-schemas.ts";
import { runProgram } from "../../dev/src/binaries/program.ts";
import { resolveBinary } from "../../dev/src/binaries/resolve.ts";
import { configOf, configurationProblems, withFiles } from "./configured.ts";
import { LINT_RULES, lintProblems, PLATFORM_RULES } from "./lint.ts";
import { DEPLOY, type Resource, resourcesOf, templateOf } from "./resources.ts";

const INSTALL_MS = 300_000;
const SCHEMAS = join(DEPLOY, "schemas/{{.ResourceKind}}{{.KindSuffix}}.gen.json");

/** Kinds of Linkerd, which the policy's own schemas hold; and what the operator of Elasticsearch alone publishes. */
const LINKERD = ["Server", "MeshTLSAuthentication", "AuthorizationPolicy"];
const UNCHECKED = ["Elasticsearch"];

const OVERLAYS = ["kind", "production"].flatMap((overlay) =>
  ["servers", "migrations", "platform"].map((part) => [overlay, part] as const),
);

describe("the overlays", () => {
  let folder = "";
  let kustomize = "";
  let kubeconform = "";
  const built = new Map<string, string>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orrery-overlays-"));
    kustomize = (await resolveBinary("kustomize")).path;
    kubeconform = (await resolveBinary("kubeconform")).path;
  }, INSTALL_MS);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const build = async (overlay: string, part: string): Promise<readonly Resource[]> => {
    const path = `${overlay}/${part}`;
    let text = built.get(path);
    if (text === undefined) {
      const { ok, output } = await runProgram(kustomize, [
        "build",
        join(DEPLOY, "kubernetes/overlays", path),
      ]);
      if (!ok) throw new Error(output);
      text = output;
      built.set(path, text);
    }
    return resourcesOf(text);
  };

  const conform = async (text: string): Promise<{ readonly ok: boolean; readonly output: string }> => {
    const file = join(folder, "built.yaml");
    writeFileSync(file, text);
    const skipped = [...LINKERD, ...UNCHECKED, "Secret"].join(",");
    const args = ["-strict", "-summary", "-skip", skipped, "-schema-location", SCHEMAS, file];
    return runProgram(kubeconform, args);
  };

  test.each(OVERLAYS)("%s/%s builds, and is what the API server takes", async (overlay, part) => {
    const resources = await build(overlay, part);
    const { ok, output } = await conform(built.get(`${overlay}/${part}`) ?? "");
    expect([ok, output]).toEqual([true, expect.stringContaining("Invalid: 0, Errors: 0")]);
    const policies = resources.filter(({ kind }) => LINKERD.includes(kind) || kind === "GRPCRoute");
    expect(policies.flatMap((resource) => manifestProblems(plain(resource)))).toEqual([]);
    process.stdout.write(
      `${overlay}/${part}: ${resources.length} resources, ${policies.length} of them policies\n`,
    );
  });

  test.each(["kind", "production"])("%s keeps every rule, all three parts together", async (overlay) => {
    const parts = await Promise.all(
      ["servers", "migrations", "platform"].map((part) => build(overlay, part)),
    );
    const resources = parts.flat();
    expect(lintProblems(resources, [...LINT_RULES, ...PLATFORM_RULES])).toEqual([]);
  });

  test("a field that is misspelt is found, where a cluster would drop it", async () => {
    await build("kind", "platform");
    const text = built.get("kind/platform") ?? "";
    const misspelt = text.replace("readinessProbe:", "readynessProbe:");
    expect(misspelt).not.toBe(text);
    expect((await conform(misspelt)).output).toContain("additional properties 'readynessProbe' not allowed");
  });

  test("production runs two of each workload, and lets one at a time be taken away", async () => {
    const resources = await build("production", "platform");
    for (const { name } of WORKLOADS) {
      const deployment = resources.find(
        ({ kind, metadata }) => kind === "Deployment" && metadata.name === name,
      );
      expect([name, deployment?.spec.replicas]).toEqual([name, 2]);
      const budget = resources.find(
        ({ kind, metadata }) => kind === "PodDisruptionBudget" && metadata.name === name,
      );
      expect([name, (budget?.spec as { maxUnavailable?: number } | undefined)?.maxUnavailable]).toEqual([
        name,
        1,
      ]);
    }
  });

  test("production takes every image of ours from its registry", async () => {
    const parts = await Promise.all(["migrations", "platform"].map((part) => build("production", part)));
    const images = parts
      .flat()
      .flatMap((resource) => templateOf(resource)?.spec.containers ?? [])
      .map(({ image }) => image);
    expect(images.filter((image) => !image.startsWith("registry.example/orrery/"))).toEqual([]);
    expect(new Set(images).size).toBe(WORKLOADS.length);
  });

  test("every Service of a workload that is called tells its callers when to leave a replica out", async () => {
    const resources = await build("production", "platform");
    const told = resources
      .filter(({ kind, metadata }) => kind === "Service" && metadata.annotations !== undefined)
      .filter(({ metadata }) => "balancer.linkerd.io/failure-accrual" in (metadata.annotations ?? {}))
      .map(({ metadata }) => metadata.name);
    expect(told.sort()).toEqual(["alerts", "jobs", "observatory", "orchestrator"]);
  });

  test("a changed setting rolls its Deployment out: the name of its ConfigMap follows what it holds", async () => {
    const names = async (overlay: string) =>
      (await build(overlay, "platform")).flatMap(({ kind, metadata }) =>
        kind === "ConfigMap" && metadata.name.startsWith("gateway-configuration-") ? [metadata.name] : [],
      );
    const [kind, production] = [await names("kind"), await names("production")];
    expect([kind.length, production.length]).toEqual([1, 1]);
    expect(kind).not.toEqual(production);
  });

  test.each(["kind", "production"])(
    "%s gives every workload a configuration that it takes",
    async (overlay) => {
      const resources = await build(overlay, "platform");
      const file = join(folder, "file");
      writeFileSync(file, "");
      const started = WORKLOADS.map(({ name }) => {
        const data = resources.find(
          ({ kind, metadata }) => kind === "ConfigMap" && metadata.name.startsWith(`${name}-configuration-`),
        )?.data;
        const environment = withFiles({ ...data, ORRERY_INSTANCE: `${name}-7d9c5b6f4-x2x8k` }, file);
        return { title: `${name} of ${overlay}`, config: configOf(name), environment };
      });
      expect(configurationProblems(started)).toEqual([]);
    },
  );

  test("every Secret that is mounted is made by a Certificate, or named where it has to be given", async () => {
    const given = ["gateway-keys"];
    for (const overlay of ["kind", "production"]) {
      const parts = await Promise.all(
        ["servers", "migrations", "platform"].map((part) => build(overlay, part)),
      );
      const resources = parts.flat();
      const made = resources
        .filter(({ kind }) => kind === "Certificate")
        .map(({ spec }) => spec.secretName ?? "");
      const mounted = resources
        .flatMap((resource) => templateOf(resource)?.spec.volumes ?? [])
        .flatMap(({ secret }) => secret?.secretName ?? []);
      expect([...new Set(mounted)].filter((name) => !made.includes(name))).toEqual(given);
    }
  });
});

/** As the policy's own schemas read it. */
const plain = (resource: Resource): Parameters<typeof manifestProblems>[0] =>
  resource as unknown as Parameters<typeof manifestProblems>[0];
