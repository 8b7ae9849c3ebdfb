/**
 * The policy of the contracts as Linkerd enforces it: who may call what (inbound), and how long a call may take and
 * whether the proxy repeats it (outbound). One route for each set of callers, since a policy targets a whole route.
 */
import { durationMs } from "@bufbuild/protobuf/wkt";
import { MethodRules_RetryOwner as RetryOwner } from "../../gen/orrery/options/v1/options_pb.js";
import type { Contract, Rpc } from "../image/contract-image.ts";
import { about, letIn, type Manifest, server } from "./linkerd.ts";
import { GRPC_PORT, LINKERD_RETRY_CONDITIONS, MATCHES_OF_A_RULE, RULES_OF_A_ROUTE } from "./names.ts";
import { policyRefusals } from "./refusals.ts";

/** RPCs of the server itself, and who may ask for them: a whole service each. */
export interface ServerRpcs {
  readonly service: string;
  readonly callers: readonly string[];
}

/** What the manifests of a platform are made from. */
export interface PolicyInput {
  readonly contract: Contract;
  /** Every workload, with the port that its RPCs come in by. */
  readonly workloads: readonly { readonly name: string; readonly grpcPort: number }[];
  readonly serverRpcs: readonly ServerRpcs[];
}

/** One match of a route: an RPC, or a whole service. */
interface Match {
  readonly service: string;
  readonly method?: string;
}

/** What the hop repeats on: nothing was answered, or not in time. */
const RETRY_ON = ["unavailable", "deadline-exceeded"];
const RETRIES = 1;

/**
 * The manifests of each workload that serves RPCs, by its name.
 *
 * @throws Error with every refusal, where the contract holds what Linkerd would drop
 */
export function policyManifests(input: PolicyInput): ReadonlyMap<string, readonly Manifest[]> {
  const names = input.workloads.map(({ name }) => name);
  const refused = [
    ...policyRefusals(input.contract, names),
    ...RETRY_ON.filter((condition) => !LINKERD_RETRY_CONDITIONS.includes(condition)).map(
      (condition) => `Linkerd repeats nothing on ${condition}`,
    ),
  ];
  if (refused.length > 0) throw new Error(`no policy can be made:\n${refused.join("\n")}`);
  const serving = input.workloads.filter(({ name }) => rpcsOf(input.contract, name).length > 0);
  return new Map(
    serving.map(({ name, grpcPort }) => {
      const rpcs = rpcsOf(input.contract, name);
      return [
        name,
        [
          // Nobody gets in but by a policy. Linkerd looks at a GRPCRoute only where the Server says gRPC.
          server(name, GRPC_PORT, { proxyProtocol: "gRPC", accessPolicy: "deny" }),
          ...inbound(name, rpcs, input.serverRpcs),
          ...outbound(name, grpcPort, rpcs, input.serverRpcs),
        ],
      ];
    }),
  );
}

function rpcsOf({ rpcs }: Contract, workload: string): readonly Rpc[] {
  return rpcs.filter(({ service }) => service.workload === workload);
}

function inbound(
  workload: string,
  rpcs: readonly Rpc[],
  serverRpcs: readonly ServerRpcs[],
): readonly Manifest[] {
  const wanted = [
    ...rpcs.map(({ method, rules }) => ({
      match: matchOf(method.parent.typeName, method.name),
      callers: rules.callers,
    })),
    ...serverRpcs.map(({ service, callers }) => ({ match: matchOf(service), callers })),
  ];
  const groups = Map.groupBy(wanted, ({ callers }) =>
    callers.toSorted((left, right) => (left < right ? -1 : 1)).join(" "),
  );
  return [...groups].flatMap(([key, members]) => {
    const callers = key.split(" ");
    return routesOf(members.map(({ match }) => match)).flatMap((rules, at) => {
      const name = [workload, "from", ...callers, ...(at > 0 ? [String(at + 1)] : [])].join("-");
      return [
        inboundRoute(workload, name, rules),
        ...letIn(name, callers, { group: "gateway.networking.k8s.io", kind: "GRPCRoute", name }),
      ];
    });
  });
}

function inboundRoute(workload: string, name: string, rules: readonly object[]): Manifest {
  return {
    apiVersion: "gateway.networking.k8s.io/v1",
    kind: "GRPCRoute",
    metadata: about(name),
    spec: {
      parentRefs: [{ group: "policy.linkerd.io", kind: "Server", name: `${workload}-${GRPC_PORT}` }],
      rules,
    },
  };
}

/**
 * The caller's side: one route for each deadline and way of repeating. Once a Service has routes only they are used,
 * so that every RPC is in one.
 */
function outbound(
  workload: string,
  port: number,
  rpcs: readonly Rpc[],
  serverRpcs: readonly ServerRpcs[],
): readonly Manifest[] {
  const wanted = [
    ...rpcs.map((rpc) => ({ match: matchOf(rpc.method.parent.typeName, rpc.method.name), ...patience(rpc) })),
    ...serverRpcs.map(({ service }) => ({ match: matchOf(service), suffix: "endless", annotations: {} })),
  ];
  const groups = Map.groupBy(wanted, ({ suffix }) => suffix);
  return [...groups].flatMap(([suffix, members]) =>
    routesOf(members.map(({ match }) => match)).map((rules, at) => ({
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "GRPCRoute",
      metadata: {
        ...about([workload, "to", suffix, ...(at > 0 ? [String(at + 1)] : [])].join("-")),
        ...(members[0] &&
          Object.keys(members[0].annotations).length > 0 && { annotations: members[0].annotations }),
      },
      spec: {
        parentRefs: [{ group: "core", kind: "Service", name: workload, port }],
        rules: rules.map((rule) => ({ ...rule, backendRefs: [{ name: workload, port }] })),
      },
    })),
  );
}

/** How long the proxy lets a call take, and what it repeats: the first try gets the half of the time. */
function patience({ rules }: Rpc): { suffix: string; annotations: Record<string, string> } {
  if (rules.deadline === undefined) return { suffix: "endless", annotations: {} };
  const deadlineMs = durationMs(rules.deadline);
  const within = { "timeout.linkerd.io/request": `${deadlineMs}ms` };
  if (rules.retry !== RetryOwner.HOP) return { suffix: `${deadlineMs}ms`, annotations: within };
  return {
    suffix: `${deadlineMs}ms-twice`,
    annotations: {
      ...within,
      "retry.linkerd.io/grpc": RETRY_ON.join(","),
      "retry.linkerd.io/limit": String(RETRIES),
      "retry.linkerd.io/timeout": `${Math.floor(deadlineMs / (1 + RETRIES))}ms`,
    },
  };
}

/** Matches in rules and rules in routes, as many as each may hold. */
function routesOf(matches: readonly Match[]): readonly (readonly { matches: readonly object[] }[])[] {
  const rules = chunks(matches, MATCHES_OF_A_RULE).map((some) => ({
    matches: some.map((match) => ({ method: { type: "Exact", ...match } })),
  }));
  return chunks(rules, RULES_OF_A_ROUTE);
}

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, at) =>
    items.slice(at * size, (at + 1) * size),
  );
}

function matchOf(service: string, method?: string): Match {
  return method === undefined ? { service } : { service, method };
}

/**
 * What a Service is annotated with, so that callers' proxies leave out a replica that fails again and again; for
 * kustomize to merge into the Service.
 */
export function failureAccrual(workload: string): object {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      ...about(workload),
      annotations: {
        "balancer.linkerd.io/failure-accrual": "consecutive",
        "balancer.linkerd.io/failure-accrual-consecutive-max-failures": "7",
        "balancer.linkerd.io/failure-accrual-consecutive-min-penalty": "1s",
        "balancer.linkerd.io/failure-accrual-consecutive-max-penalty": "60s",
        "balancer.linkerd.io/failure-accrual-consecutive-jitter-ratio": "0.5",
      },
    },
  };
}
