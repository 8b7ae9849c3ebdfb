import { SERVER_CALLERS } from "@orrery/mesh/policy/method-policy";
import { WORKLOADS, type Workload } from "@orrery/mesh/topology";
import { stringify } from "yaml";
import { type EventTraffic, edgeAsyncApi, type Hears, workloadAsyncApi } from "./asyncapi/document.ts";
import type { Contract } from "./image/contract-image.ts";
import { edgeDocument } from "./openapi/edge-document.ts";
import { serviceDocument } from "./openapi/service-document.ts";
import { eventNamedIn, keptPacts, type PactFile } from "./pact/pact-folder.ts";
import { portPolicies } from "./policy/admin-ports.ts";
import { failureAccrual, policyManifests } from "./policy/manifests.ts";
import type { Schema } from "./schema/schema.ts";
import { schemaDocuments } from "./schema/schema-documents.ts";
import { versionsPage } from "./schema/versions-page.ts";

/** The workload whose contract is the REST API. */
const EDGE = "gateway";

/** The folders that hold nothing but generated files. */
export const GENERATED_FOLDERS = ["openapi", "asyncapi", "schemas", "policy"] as const;

/**
 * Every generated file of this folder that buf does not write: its path from here, and what it holds.
 *
 * @param released - the newest released schemas, by path below `schemas`
 */
export function outputs(
  contract: Contract,
  released: ReadonlyMap<string, Schema> = new Map(),
): ReadonlyMap<string, string> {
  const schemas = schemaDocuments(contract, released);
  return new Map([
    ...openApiFiles(contract),
    ...asyncApiFiles(contract),
    ...schemas.map(({ path, schema }) => [`schemas/${path}`, json(schema)] as const),
    ["VERSIONS.md", versionsPage(schemas)],
    ...policyFiles(contract),
  ]);
}

/** What a workload publishes and consumes, by what its user on NATS may do. */
export function eventTraffic({ name, nats }: Workload): EventTraffic {
  const allowed = nats?.publish ?? [];
  const contexts = (pattern: RegExp): readonly string[] =>
    allowed.flatMap((subject) => pattern.exec(subject)?.[1]?.toLowerCase() ?? []);
  return {
    workload: name,
    sends: contexts(/^orrery\.events\.v1\.([a-z]+)\.>$/),
    receives: contexts(/^\$JS\.API\.CONSUMER\.MSG\.NEXT\.ORRERY_([A-Z]+)\.>$/),
  };
}

function openApiFiles(contract: Contract): readonly (readonly [string, string])[] {
  const services = workloadsOf(contract).filter((workload) => workload !== EDGE);
  return [
    ["openapi/edge.json", json(edgeDocument(contract))],
    ...services.map(
      (workload) => [`openapi/${workload}.json`, json(serviceDocument(contract, workload))] as const,
    ),
  ];
}

/** What consumers hear is what their contracts with the producers name. */
function hearsBy(pacts: readonly PactFile[]): Hears {
  return (workload, { context, message }) =>
    pacts.some(
      ({ consumer, provider, interactions }) =>
        consumer === workload &&
        provider === context &&
        interactions.some((interaction) => eventNamedIn(interaction) === message.name),
    );
}

function asyncApiFiles(contract: Contract): readonly (readonly [string, string])[] {
  const traffic = WORKLOADS.map(eventTraffic).filter(
    ({ sends, receives }) => sends.length + receives.length > 0,
  );
  const hears = hearsBy(keptPacts());
  return [
    ["asyncapi/edge.json", json(edgeAsyncApi(contract))],
    ...traffic.map(
      (one) => [`asyncapi/${one.workload}.json`, json(workloadAsyncApi(contract, one, hears))] as const,
    ),
  ];
}

function policyFiles(contract: Contract): readonly (readonly [string, string])[] {
  const { health, reflection } = SERVER_CALLERS;
  const manifests = policyManifests({
    contract,
    workloads: WORKLOADS.map(({ name, ports }) => ({ name, grpcPort: ports.grpc })),
    serverRpcs: [
      { service: "grpc.health.v1.Health", callers: health },
      { service: "grpc.reflection.v1.ServerReflection", callers: reflection },
      { service: "grpc.reflection.v1alpha.ServerReflection", callers: reflection },
    ],
  });
  const files: readonly (readonly [string, string])[] = [
    ...[...manifests].flatMap(([workload, resources]) => [
      [`${workload}.yaml`, yaml(resources)] as const,
      [`patches/${workload}-service.yaml`, yaml([failureAccrual(workload)])] as const,
    ]),
    ...WORKLOADS.map((workload) => [`ports/${workload.name}.yaml`, yaml(portPolicies(workload))] as const),
  ];
  return [
    ["kustomization.yaml", yaml([policyComponent(files.map(([path]) => path))])] as const,
    ...files,
  ].map(([path, text]) => [`policy/${path}`, text]);
}

/** What kustomize reads: the policies come in beside the Services of the platform, and annotate them. */
function policyComponent(paths: readonly string[]): object {
  const isPatch = (path: string): boolean => path.startsWith("patches/");
  return {
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    resources: paths.filter((path) => !isPatch(path)),
    patches: paths.filter(isPatch).map((path) => ({ path })),
  };
}

function yaml(resources: readonly object[]): string {
  const documents = resources.map((resource) =>
    stringify(resource, { lineWidth: 0, aliasDuplicateObjects: false }),
  );
  return `# Generated by make generate from the protos. Do not edit.\n${documents.join("---\n")}`;
}

/** Every workload that serves RPCs or runs. */
function workloadsOf({ rpcs }: Contract): readonly string[] {
  const names = [...rpcs.map(({ service }) => service.workload), ...WORKLOADS.map(({ name }) => name)];
  return [...new Set(names)].sort();
}

function json(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
