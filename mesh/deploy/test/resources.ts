import { globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseAllDocuments } from "yaml";

/** mesh/deploy. */
export const DEPLOY = resolve(import.meta.dirname, "..");
/** The root of the checkout. */
export const ROOT = resolve(DEPLOY, "../..");

/** A resource as YAML has it. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  // Each kind has fields of its own; the schemas hold them to that.
  readonly spec: Record<string, never> & Spec;
  readonly data?: Readonly<Record<string, string>>;
}

/** The parts of specs that the tests look at. */
export interface Spec {
  readonly replicas?: number;
  readonly selector?: unknown;
  readonly ports?: readonly Port[];
  readonly template?: { readonly metadata: Resource["metadata"]; readonly spec: PodSpec };
  readonly podSelector?: Selector;
  readonly policyTypes?: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
  readonly secretName?: string;
  readonly commonName?: string;
}

/** A selector by labels. */
export interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

/** A rule of a NetworkPolicy. */
export interface Rule {
  readonly from?: readonly { readonly podSelector?: Selector; readonly namespaceSelector?: Selector }[];
  readonly to?: readonly { readonly podSelector?: Selector; readonly namespaceSelector?: Selector }[];
  readonly ports?: readonly { readonly port: number }[];
}

/** A port of a Service. */
export interface Port {
  readonly name: string;
  readonly port: number;
  readonly targetPort?: string | number;
  readonly appProtocol?: string;
}

/** A pod. */
export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly topologySpreadConstraints?: readonly object[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Readonly<
    Record<string, { readonly secretName?: string; readonly name?: string }>
  >[];
}

/** A container of a pod. */
export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly envFrom?: readonly { readonly configMapRef: { readonly name: string } }[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly resources?: {
    readonly limits?: Readonly<Record<string, string>>;
    readonly requests?: Readonly<Record<string, string>>;
  };
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

/** A probe of a container. */
export interface Probe {
  readonly httpGet?: { readonly port: string | number; readonly path: string };
  readonly exec?: object;
  readonly grpc?: object;
}

/** What the pods of a resource are made from; undefined where it has none, whatever else it calls a template. */
export const templateOf = ({ spec }: Resource): Spec["template"] =>
  typeof spec?.template === "object" ? spec.template : undefined;

/** The resources of a YAML text. */
export const resourcesOf = (text: string): readonly Resource[] =>
  parseAllDocuments(text).map((document) => document.toJS() as Resource);

/** The resources of the generated folders below `kubernetes`, kustomize's own files left out. */
export const resourcesIn = (...folders: readonly string[]): readonly Resource[] =>
  folders
    .flatMap((folder) => globSync(`${folder}/*.yaml`, { cwd: join(DEPLOY, "kubernetes") }))
    .filter((path) => !path.endsWith("kustomization.yaml"))
    .flatMap((path) => resourcesOf(readFileSync(join(DEPLOY, "kubernetes", path), "utf8")))
    .filter(({ kind }) => kind !== undefined);

/** The variables of an env file. */
export const variablesIn = (path: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    readFileSync(join(DEPLOY, path), "utf8")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
