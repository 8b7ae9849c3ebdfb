/**
 * Writes `schemas/`: what the API server and Docker Compose would refuse, as JSON Schemas, read without a network.
 *
 * Run by hand when a version below changes (`node mesh/deploy/src/vendor-schemas.ts`, needs Go); the result is
 * committed. The sources are Apache-2.0. Descriptions are left out, and an object with fields has no others: a field
 * that is misspelt is refused here, where a cluster would drop it without a word.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";

type Schema = { readonly [key: string]: unknown };

const FOLDER = resolve(import.meta.dirname, "../schemas");

/** Kubernetes itself: its swagger, and the kinds that are used, by file name and definition. */
const KUBERNETES = {
  module: "k8s.io/kubernetes@v1.33.5",
  path: "api/openapi-spec/swagger.json",
  kinds: {
    "namespace-v1": "io.k8s.api.core.v1.Namespace",
    "service-v1": "io.k8s.api.core.v1.Service",
    "serviceaccount-v1": "io.k8s.api.core.v1.ServiceAccount",
    "configmap-v1": "io.k8s.api.core.v1.ConfigMap",
    "deployment-apps-v1": "io.k8s.api.apps.v1.Deployment",
    "statefulset-apps-v1": "io.k8s.api.apps.v1.StatefulSet",
    "job-batch-v1": "io.k8s.api.batch.v1.Job",
    "poddisruptionbudget-policy-v1": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "networkpolicy-networking-v1": "io.k8s.api.networking.v1.NetworkPolicy",
  },
} as const;

/** Kinds that others define: each file of a module that holds such definitions. */
const DEFINED = [
  {
    module: "github.com/cert-manager/cert-manager@v1.18.2",
    paths: ["deploy/crds/crd-certificates.yaml", "deploy/crds/crd-issuers.yaml"],
  },
  {
    module: "github.com/cloudnative-pg/cloudnative-pg@v1.27.0",
    paths: [
      "config/crd/bases/postgresql.cnpg.io_clusters.yaml",
      "config/crd/bases/postgresql.cnpg.io_databases.yaml",
    ],
  },
  {
    module: "sigs.k8s.io/gateway-api@v1.2.1",
    paths: ["config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml"],
  },
] as const;

/** What a compose file may hold, by those who define it. */
const COMPOSE = {
  module: "github.com/compose-spec/compose-go/v2@v2.8.1",
  path: "schema/compose-spec.json",
} as const;

/** Words of a schema that say nothing about what is allowed. */
const SILENT = new Set(["description", "example", "default", "externalDocs", "x-kubernetes-validations"]);

const folders = new Map<string, string>();

/** Where Go keeps a module, fetched if need be. */
function folderOf(module: string): string {
  const known = folders.get(module);
  if (known !== undefined) return known;
  const printed = execFileSync("go", ["mod", "download", "-json", module], {
    cwd: tmpdir(),
    encoding: "utf8",
  });
  const { Dir } = JSON.parse(printed) as { Dir: string };
  folders.set(module, Dir);
  return Dir;
}

const write = (name: string, schema: Schema): void =>
  writeFileSync(join(FOLDER, `${name}.gen.json`), `${JSON.stringify(schema)}\n`);

/** The same schema without its prose, closed where it names its fields. */
function strict(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(strict);
  if (typeof node !== "object" || node === null) return node;
  const schema = node as Schema;
  if (schema["x-kubernetes-int-or-string"] === true || schema.format === "int-or-string") {
    return { type: ["string", "integer"] };
  }
  const kept = Object.entries(schema)
    .filter(([word]) => !SILENT.has(word) && !word.startsWith("x-kubernetes-"))
    .map(([word, value]) => [word, word === "properties" ? fields(value as Schema) : strict(value)]);
  const open = "additionalProperties" in schema || schema["x-kubernetes-preserve-unknown-fields"] === true;
  const closed = "properties" in schema && !open;
  return { ...Object.fromEntries(kept), ...(closed && { additionalProperties: false }) };
}

/** Fields are kept whatever they are called: one of them may be named `description`. What the cluster writes is not. */
const fields = (properties: Schema): Schema =>
  Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => name !== "status")
      .map(([name, schema]) => [name, strict(schema)]),
  );

function vendorKubernetes(): void {
  const file = join(folderOf(KUBERNETES.module), KUBERNETES.path);
  const { definitions } = JSON.parse(readFileSync(file, "utf8")) as { definitions: Record<string, Schema> };
  const used: Record<string, unknown> = {};
  const take = (name: string): void => {
    if (name in used) return;
    used[name] = strict(definitions[name]);
    for (const [, next = ""] of JSON.stringify(used[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) take(next);
  };
  for (const [kind, definition] of Object.entries(KUBERNETES.kinds)) {
    take(definition);
    write(kind, { $ref: `kubernetes-definitions.gen.json#/definitions/${definition}` });
  }
  write("kubernetes-definitions", { $comment: KUBERNETES.module, definitions: used });
}

interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly storage: boolean;
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

function vendorDefined(module: string, path: string): void {
  for (const document of parseAllDocuments(readFileSync(join(folderOf(module), path), "utf8"))) {
    const definition = document.toJS() as Definition | null;
    if (definition === null) continue;
    const { group, names, versions } = definition.spec;
    for (const { name, schema } of versions.filter(({ storage }) => storage)) {
      const root = strict(schema.openAPIV3Schema) as { properties: Schema };
      const metadata = {
        $ref: "kubernetes-definitions.gen.json#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
      };
      const closed = { ...root, properties: { ...root.properties, metadata } };
      const file = `${names.kind.toLowerCase()}-${group.split(".")[0]}-${name}`;
      write(file, { $comment: module, ...closed });
    }
  }
}

/** Closed by its authors: nothing is changed but the prose. */
function vendorCompose(): void {
  const text = readFileSync(join(folderOf(COMPOSE.module), COMPOSE.path), "utf8");
  const {
    $schema: _schema,
    $id: _id,
    ...schema
  } = JSON.parse(text, (word, value: unknown) =>
    word === "description" && typeof value === "string" ? undefined : value,
  ) as Schema;
  write("compose", { $comment: COMPOSE.module, ...schema });
}

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER);
vendorKubernetes();
for (const { module, paths } of DEFINED) for (const path of paths) vendorDefined(module, path);
vendorCompose();
