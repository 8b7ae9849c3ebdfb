import { globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { CLIENTS, WORKLOADS } from "@orrery/mesh/topology";
import { ROOT } from "../contract-reader.ts";
import { admits, identityOf, type Resource, resourcesOf } from "./policy-evaluator.ts";
import { manifestProblems } from "./policy-schemas.ts";

const folder = join(ROOT, "contracts/policy/ports");
const manifests = readdirSync(folder).flatMap((name) =>
  resourcesOf(readFileSync(join(folder, name), "utf8")),
);

/** The readers of every admin port, and who posts where: written down here again, so that neither is guessing. */
const READERS = ["operator", "prometheus"];
const EXTRA: Readonly<Record<string, readonly string[]>> = {
  alerts: ["alertmanager"],
  observatory: ["alerts", "gateway", "jobs", "observatory", "orchestrator", "worker"],
};
const everyone = [...WORKLOADS, ...CLIENTS].map(({ name }) => name);

const pairs = WORKLOADS.flatMap(({ name: workload }) =>
  [...everyone, "stranger", undefined].map((caller) => ({
    caller,
    workload,
    admitted: caller !== undefined && [...READERS, ...(EXTRA[workload] ?? [])].includes(caller),
  })),
);

const reaches = (
  resources: readonly Resource[],
  caller: string | undefined,
  workload: string,
  port: string,
) =>
  admits(resources, {
    identity: caller === undefined ? undefined : identityOf(caller),
    podLabels: { "app.kubernetes.io/name": workload },
    port,
    service: "",
    method: "",
  });

const disagreements = (resources: readonly Resource[]) =>
  pairs.filter(
    ({ caller, workload, admitted }) => reaches(resources, caller, workload, "admin") !== admitted,
  );

describe("the admin ports", () => {
  test("let in Prometheus, an operator and who posts there, and nobody else", () => {
    expect(disagreements(manifests)).toEqual([]);
    process.stdout.write(`policy: ${pairs.length} pairs of caller and admin port, all agree\n`);
  });

  test("have no route attached, or the kubelet's probes would be refused", () => {
    expect(manifests.map(({ kind }) => kind).filter((kind) => /Route$/.test(kind))).toEqual([]);
  });

  test("hold nothing that the API server would refuse", () => {
    expect(manifests.flatMap(manifestProblems)).toEqual([]);
  });

  test.each([
    ["no longer knows prometheus", ({ spec }: Resource) => void spec.identityRefs?.pop()],
    ["knows everybody", ({ spec }: Resource) => void Object.assign(spec, { identities: ["*"] })],
  ])("are seen to be wrong where one %s", (_what, spoil) => {
    const copy = structuredClone(manifests) as Resource[];
    const spoilt = copy.find(({ kind }) => kind === "MeshTLSAuthentication");
    if (spoilt === undefined) throw new Error("there is no authentication");
    spoil(spoilt);
    expect(disagreements(copy)).not.toEqual([]);
  });

  test("know every inbox of the platform: a new one has to be let in", () => {
    const inboxes = globSync("{services,mesh/chassis}/**/src/**/*.ts", { cwd: ROOT })
      .filter((path) => /^ {2,6}from: /m.test(readFileSync(join(ROOT, path), "utf8")))
      .filter((path) => /AdminInbox\b/.test(readFileSync(join(ROOT, path), "utf8")));
    expect(inboxes.map((path) => path.split("/").at(-1) ?? "").sort()).toEqual([
      "alertmanager-inbox.ts",
      "republish-inbox.ts",
      "trace-inbox.ts",
    ]);
  });
});

describe("the ports that face the outside", () => {
  test("let anyone knock, and are the gateway's alone", () => {
    for (const { name } of WORKLOADS) {
      for (const port of ["http", "edge-grpc"]) {
        expect([name, port, reaches(manifests, undefined, name, port)]).toEqual([
          name,
          port,
          name === "gateway",
        ]);
      }
    }
  });
});
