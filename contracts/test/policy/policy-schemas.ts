import { GRPCRoute } from "@kubernetes-models/gateway-api/gateway.networking.k8s.io/v1/GRPCRoute";
import Ajv from "ajv";
import type { Resource } from "./policy-evaluator.ts";

const NAME = { type: "string", pattern: "^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$" };
const LABELS = { type: "object", additionalProperties: { type: "string" } };

const closed = (properties: object, required: readonly string[]): object => ({
  type: "object",
  properties,
  required,
  additionalProperties: false,
});

const resource = (apiVersion: string, kind: string, spec: object): object =>
  closed(
    {
      apiVersion: { const: apiVersion },
      kind: { const: kind },
      metadata: closed({ name: NAME, namespace: NAME, labels: LABELS, annotations: LABELS }, [
        "name",
        "namespace",
      ]),
      spec,
    },
    ["apiVersion", "kind", "metadata", "spec"],
  );

const identityRef = closed(
  { group: { const: "" }, kind: { enum: ["ServiceAccount", "Namespace"] }, name: NAME, namespace: NAME },
  ["kind"],
);

/** The kinds of Linkerd that are used, as its CRDs have them (charts/linkerd-crds of linkerd2). */
const SCHEMAS: Readonly<Record<string, object>> = {
  Server: resource(
    "policy.linkerd.io/v1beta3",
    "Server",
    closed(
      {
        podSelector: closed({ matchLabels: LABELS }, ["matchLabels"]),
        port: { type: ["string", "integer"] },
        proxyProtocol: { enum: ["unknown", "HTTP/1", "HTTP/2", "gRPC", "opaque", "TLS"] },
        accessPolicy: {
          enum: [
            "deny",
            "audit",
            "all-authenticated",
            "all-unauthenticated",
            "cluster-authenticated",
            "cluster-unauthenticated",
          ],
        },
      },
      ["podSelector", "port"],
    ),
  ),
  MeshTLSAuthentication: resource("policy.linkerd.io/v1alpha1", "MeshTLSAuthentication", {
    oneOf: [
      closed({ identities: { type: "array", items: { type: "string" }, minItems: 1 } }, ["identities"]),
      closed({ identityRefs: { type: "array", items: identityRef, minItems: 1 } }, ["identityRefs"]),
    ],
  }),
  AuthorizationPolicy: resource(
    "policy.linkerd.io/v1alpha1",
    "AuthorizationPolicy",
    closed(
      {
        targetRef: closed(
          {
            group: { type: "string" },
            kind: { enum: ["Server", "HTTPRoute", "GRPCRoute", "Namespace"] },
            name: NAME,
          },
          ["kind", "name"],
        ),
        requiredAuthenticationRefs: {
          type: "array",
          items: closed(
            {
              group: { type: "string" },
              kind: { enum: ["MeshTLSAuthentication", "NetworkAuthentication", "ServiceAccount"] },
              name: NAME,
            },
            ["kind", "name"],
          ),
        },
      },
      ["targetRef", "requiredAuthenticationRefs"],
    ),
  ),
};

const ajv = new Ajv.default({ allErrors: true, allowUnionTypes: true });
const validators = new Map(Object.entries(SCHEMAS).map(([kind, schema]) => [kind, ajv.compile(schema)]));

/** A duration as Linkerd takes it: an integer and a unit. */
const DURATION = /^[0-9]+(ms|s|m|h)$/;
const CONDITIONS = ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"];

/** Everything that the API server would refuse in a manifest, and what Linkerd would drop from it without a word. */
export function manifestProblems(manifest: Resource): readonly string[] {
  const name = `${manifest.kind} ${manifest.metadata.name}`;
  return [...shapeProblems(manifest), ...annotationProblems(manifest), ...admissionProblems(manifest)].map(
    (problem) => `${name}: ${problem}`,
  );
}

function shapeProblems(manifest: Resource): readonly string[] {
  if (manifest.kind === "GRPCRoute") {
    try {
      new GRPCRoute(manifest as unknown as ConstructorParameters<typeof GRPCRoute>[0]).validate();
      return [];
    } catch (error) {
      return [String(error)];
    }
  }
  const validate = validators.get(manifest.kind);
  if (validate === undefined) return ["is of a kind that is not known here"];
  validate(manifest);
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

function* annotationProblems({ metadata }: Resource): Generator<string> {
  for (const [name, value] of Object.entries(metadata.annotations ?? {})) {
    if (/^(timeout|retry)\.linkerd\.io\/(request|response|idle|timeout)$/.test(name)) {
      if (!DURATION.test(value)) yield `${name} is ${value}, which is no integer with a unit`;
    } else if (name === "retry.linkerd.io/grpc") {
      for (const one of value.split(",")) if (!CONDITIONS.includes(one)) yield `${name} names ${one}`;
    } else if (name === "retry.linkerd.io/limit") {
      if (!/^[0-9]+$/.test(value)) yield `${name} is ${value}`;
    } else yield `${name} is no annotation that Linkerd reads`;
  }
}

/** What Linkerd's admission webhook and route controller refuse, or cut off, beyond the shape. */
function* admissionProblems({ kind, spec }: Resource): Generator<string> {
  if (kind === "AuthorizationPolicy") {
    const kinds = spec.requiredAuthenticationRefs.map((ref) => ref.kind);
    if (kinds.filter((one) => one !== "NetworkAuthentication").length > 1) yield "has more than one identity";
  }
  if (kind !== "GRPCRoute") return;
  if (spec.rules.length > 16) yield `has ${spec.rules.length} rules, and 16 are read`;
  for (const { matches } of spec.rules)
    if (matches.length > 8) yield `has ${matches.length} matches in a rule`;
}
