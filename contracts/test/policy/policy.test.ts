import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { policyOf, SERVER_CALLERS } from "@orrery/mesh/policy/method-policy";
import { CLIENTS, WORKLOADS } from "@orrery/mesh/topology";
import { policyManifests } from "../../src/policy/manifests.ts";
import { policyRefusals } from "../../src/policy/refusals.ts";
import { currentContract, ROOT } from "../contract-reader.ts";
import { admits, identityOf, type PolicyCall, type Resource, resourcesOf } from "./policy-evaluator.ts";
import { plantedFlips } from "./policy-flips.ts";
import { manifestProblems } from "./policy-schemas.ts";
import { applyEditText } from "./proto-text.ts";

const folder = join(ROOT, "contracts/policy");
const manifests = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml")
  .flatMap((name) => resourcesOf(readFileSync(join(folder, name), "utf8")));
const contract = await currentContract();

/** Every identity there is, one that is none of ours, and none. */
const callers = [...WORKLOADS, ...CLIENTS].map(({ name }) => name);
const strangers = ["stranger", undefined];

/** Every pair, with what the interceptor's table says. */
const pairs = [...callers, ...strangers].flatMap((caller) => [
  ...contract.rpcs.map(({ method, service }) => ({
    caller,
    workload: service.workload,
    service: method.parent.typeName,
    method: method.name,
    admitted: caller !== undefined && policyOf(method).callers.has(caller),
  })),
  ...WORKLOADS.filter(({ name }) => contract.rpcs.some(({ service }) => service.workload === name)).flatMap(
    ({ name }) =>
      [
        { service: "grpc.health.v1.Health", method: "Check", of: SERVER_CALLERS.health },
        {
          service: "grpc.reflection.v1.ServerReflection",
          method: "ServerReflectionInfo",
          of: SERVER_CALLERS.reflection,
        },
        {
          service: "grpc.reflection.v1alpha.ServerReflection",
          method: "ServerReflectionInfo",
          of: SERVER_CALLERS.reflection,
        },
      ].map(({ service, method, of }) => ({
        caller,
        workload: name,
        service,
        method,
        admitted: caller !== undefined && (of as readonly string[]).includes(caller),
      })),
  ),
]);

const callOf = ({ caller, workload, service, method }: (typeof pairs)[number]): PolicyCall => ({
  identity: caller === undefined ? undefined : identityOf(caller),
  podLabels: { "app.kubernetes.io/name": workload },
  port: "grpc",
  service,
  method,
});

const disagreements = (resources: readonly Resource[]) =>
  pairs.filter((pair) => admits(resources, callOf(pair)) !== pair.admitted);

describe("the policy of the mesh", () => {
  test("is the policy of the interceptor, for every caller and every RPC", () => {
    expect(disagreements(manifests)).toEqual([]);
    process.stdout.write(`policy: ${pairs.length} pairs of caller and RPC, all agree\n`);
    expect(pairs.filter(({ admitted }) => admitted).length).toBeGreaterThan(50);
  });

  test("lets nobody in under a name of another trust domain or namespace", () => {
    const [pair] = pairs.filter(({ admitted }) => admitted);
    if (pair?.caller === undefined) throw new Error("nobody may call anything");
    for (const identity of [
      identityOf(pair.caller, "other"),
      pair.caller,
      `${identityOf(pair.caller)}.example`,
    ]) {
      expect(admits(manifests, { ...callOf(pair), identity })).toBe(false);
    }
  });

  test("is seen to be wrong after each of 20 planted flips", () => {
    const flips = plantedFlips(manifests, { count: 20, seed: 4040 });
    for (const { title, resources } of flips) {
      const wrong = disagreements(resources).length;
      process.stdout.write(`${String(wrong).padStart(4)} pairs disagree: ${title}\n`);
      expect([title, wrong > 0]).toEqual([title, true]);
    }
    expect(new Set(flips.map(({ title }) => title)).size).toBe(20);
  });

  test("holds nothing that the API server would refuse or Linkerd would drop", () => {
    expect(manifests.flatMap(manifestProblems)).toEqual([]);
    expect(manifests.length).toBeGreaterThan(20);
  });

  test.each<[string, (manifest: Resource) => void]>([
    ["Server", ({ spec }) => Object.assign(spec, { podSelector: undefined })],
    ["Server", ({ spec }) => Object.assign(spec, { proxyProtocol: "grpc" })],
    ["MeshTLSAuthentication", ({ spec }) => Object.assign(spec, { identities: ["*"] })],
    [
      "AuthorizationPolicy",
      ({ spec }) => void spec.requiredAuthenticationRefs.push({ kind: "ServiceAccount", name: "x" }),
    ],
    ["GRPCRoute", ({ spec }) => Object.assign(spec.rules[0]?.matches[0]?.method ?? {}, { type: "Prefix" })],
    ["GRPCRoute", ({ spec }) => void spec.rules[0]?.matches.push(...Array(9).fill(spec.rules[0].matches[0]))],
    [
      "GRPCRoute",
      ({ metadata }) => Object.assign(metadata, { annotations: { "timeout.linkerd.io/request": "1.5s" } }),
    ],
    [
      "GRPCRoute",
      ({ metadata }) => Object.assign(metadata, { annotations: { "retry.linkerd.io/grpc": "aborted" } }),
    ],
  ])("a %s that is not as it should be is found", (kind, spoil) => {
    const copy = structuredClone(manifests.find((one) => one.kind === kind));
    if (copy === undefined) throw new Error(`there is no ${kind}`);
    spoil(copy);
    expect(manifestProblems(copy)).not.toEqual([]);
  });

  test("gives every RPC one way out, within its deadline", () => {
    for (const { method, service, rules } of contract.rpcs) {
      const routes = manifests.filter(
        ({ kind, spec }) =>
          kind === "GRPCRoute" &&
          spec.parentRefs[0]?.kind === "Service" &&
          spec.parentRefs[0]?.name === service.workload &&
          spec.rules.some(({ matches }) =>
            matches.some(
              (match) =>
                match.method.service === method.parent.typeName && match.method.method === method.name,
            ),
          ),
      );
      const deadlineMs =
        rules.deadline === undefined
          ? undefined
          : Number(rules.deadline.seconds) * 1_000 + rules.deadline.nanos / 1e6;
      expect([
        method.name,
        routes.map(({ metadata }) => metadata.annotations?.["timeout.linkerd.io/request"]),
      ]).toEqual([method.name, [deadlineMs === undefined ? undefined : `${deadlineMs}ms`]]);
    }
  });
});

describe("a contract that Linkerd would drop a part of", () => {
  const workloads = WORKLOADS.map(({ name, ports }) => ({ name, grpcPort: ports.grpc }));

  test("is refused: none of today's is", () => {
    expect(
      policyRefusals(
        contract,
        workloads.map(({ name }) => name),
      ),
    ).toEqual([]);
  });

  test.each<[string, Parameters<typeof applyEditText>[1], string]>([
    [
      "names a caller that there is not",
      { rpc: "GetQueue", find: 'callers: ["gateway"]', replace: 'callers: ["gateway", "gatway"]' },
      "lets gatway in",
    ],
    [
      "repeats what is not safe to repeat",
      { rpc: "PauseQueue", find: "repeat: NATURAL", replace: "repeat: KEYED\n retry: HOP" },
      "a repeat is KEYED",
    ],
    [
      "has a deadline of microseconds",
      { rpc: "GetQueue", find: "deadline: {seconds: 2}", replace: "deadline: {nanos: 1500500}" },
      "a part of a millisecond",
    ],
    [
      "believes who may not call",
      { rpc: "GetQueue", find: 'on_behalf: ["gateway"]', replace: 'on_behalf: ["worker"]' },
      "believes worker",
    ],
    [
      "is exposed without the gateway",
      {
        rpc: "GetQueue",
        find: 'callers: ["gateway"]\n      on_behalf: ["gateway"]',
        replace: 'callers: ["observatory"]',
      },
      "the gateway may not call it",
    ],
    [
      "has a route inside",
      { rpc: "GetQueue", find: "exposure: EDGE", replace: "exposure: INTERNAL" },
      "has a route, and is not exposed",
    ],
    [
      "names nobody",
      { rpc: "GetQueue", find: 'callers: ["gateway"]\n      on_behalf: ["gateway"]', replace: "callers: []" },
      "names no caller",
    ],
  ])("because it %s is refused before anything is written", async (_title, edit, why) => {
    const changed = await applyEditText("jobs/v1/queues_service.proto", edit);
    expect(() => policyManifests({ contract: changed, workloads, serverRpcs: [] })).toThrow(why);
  });

  test("because its workload is not there is refused", () => {
    const none = workloads.filter(({ name }) => name !== "jobs");
    expect(() => policyManifests({ contract, workloads: none, serverRpcs: [] })).toThrow(
      `${JobsService.typeName}/SubmitJob is served by jobs, which mesh/topology.ts does not have`,
    );
  });
});
