/** The resources that Linkerd's policy is made of. */
import { NAMESPACE, WORKLOAD_LABEL } from "./names.ts";

/** One resource of Kubernetes. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Record<string, string>;
  };
  readonly spec: Record<string, unknown>;
}

/** Name and place of a resource of the platform. */
export function about(name: string): { name: string; namespace: string } {
  return { name, namespace: NAMESPACE };
}

/** A port of a workload: what it carries, and who gets in where no policy says otherwise. */
export function server(
  workload: string,
  port: string,
  rest: { readonly proxyProtocol: string; readonly accessPolicy: string },
): Manifest {
  return {
    apiVersion: "policy.linkerd.io/v1beta3",
    kind: "Server",
    metadata: about(`${workload}-${port}`),
    spec: { podSelector: { matchLabels: { [WORKLOAD_LABEL]: workload } }, port, ...rest },
  };
}

/** Lets these callers, by their identities, in to a target. */
export function letIn(
  name: string,
  callers: readonly string[],
  targetRef: { readonly group: string; readonly kind: string; readonly name: string },
): readonly Manifest[] {
  return [
    {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "MeshTLSAuthentication",
      metadata: about(name),
      spec: { identityRefs: callers.map((caller) => ({ kind: "ServiceAccount", name: caller })) },
    },
    {
      apiVersion: "policy.linkerd.io/v1alpha1",
      kind: "AuthorizationPolicy",
      metadata: about(name),
      spec: {
        targetRef,
        requiredAuthenticationRefs: [{ group: "policy.linkerd.io", kind: "MeshTLSAuthentication", name }],
      },
    },
  ];
}
