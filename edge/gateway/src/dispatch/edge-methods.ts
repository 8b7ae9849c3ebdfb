import { type DescField, type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  MethodRules_Exposure,
  method as methodRules,
  service as serviceRules,
} from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { isScope, type Scope } from "../auth/key-store.ts";

/** One RPC as the edge serves it: what its options in proto say, read once at the start. */
export interface EdgeMethod {
  readonly method: DescMethod;
  /** The scope that a key needs. */
  readonly scope: Scope;
  /** The workload that serves it. */
  readonly workload: string;
  /** The longest that it may take; undefined for a stream without an end. */
  readonly deadlineMs: number | undefined;
  /** The request fields that a header can fill. */
  readonly headerFields: {
    readonly idempotencyKey: DescField | undefined;
    readonly lastEventId: DescField | undefined;
    readonly consistencyToken: DescField | undefined;
  };
}

/**
 * The RPCs that are reachable from outside, by their descriptors.
 *
 * @throws Error naming the RPC that has no rules, no scope, or no workload: an edge that guessed would be
 * open
 */
export function edgeMethods(services: readonly DescService[]): ReadonlyMap<DescMethod, EdgeMethod> {
  const served = services.flatMap((service) => service.methods.filter(isExposed).map(edgeMethod));
  return new Map(served.map((entry) => [entry.method, entry]));
}

/** Whether an RPC is reachable from outside. One without rules is refused, here as everywhere. */
function isExposed(method: DescMethod): boolean {
  if (!hasOption(method, methodRules)) throw new Error(`${nameOf(method)} has no rules in its proto`);
  return getOption(method, methodRules).exposure === MethodRules_Exposure.EDGE;
}

function edgeMethod(method: DescMethod): EdgeMethod {
  const rules = getOption(method, methodRules);
  const { workload } = getOption(method.parent, serviceRules);
  if (!isScope(rules.scope)) throw new Error(`${nameOf(method)} is exposed and names no scope`);
  if (workload === "") throw new Error(`${method.parent.typeName} names no workload`);
  const field = (name: string) => method.input.fields.find((candidate) => candidate.name === name);
  return {
    method,
    scope: rules.scope,
    workload,
    deadlineMs: rules.deadline === undefined ? undefined : durationMs(rules.deadline),
    headerFields: {
      idempotencyKey: field("idempotency_key"),
      lastEventId: field("last_event_id"),
      consistencyToken: field("consistency_token"),
    },
  };
}

/** `package.Service/Method`, as gRPC writes it. */
export function nameOf(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}
