import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  type MethodRules,
  MethodRules_RetryOwner,
  method as methodRules,
} from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";

/** What the contract says about one RPC, ready to be asked at every call. */
export interface MethodPolicy {
  /** The workloads that may call. Nobody else may: there is no wildcard. */
  readonly callers: ReadonlySet<string>;
  /** The workloads whose word is believed about project, principal and scopes. */
  readonly onBehalf: ReadonlySet<string>;
  /** The longest that a call may take, in milliseconds; undefined for a stream without an end. */
  readonly deadlineMs: number | undefined;
  /** Whether the hop repeats a call that could not be delivered, once. */
  readonly retriedByHop: boolean;
}

/**
 * The policy of an RPC, out of its proto option.
 *
 * @throws Error when the RPC has none, names no caller, or believes a workload that may not call: such a
 *   service does not start
 */
export function policyOf(method: DescMethod): MethodPolicy {
  const name = `${method.parent.typeName}/${method.name}`;
  if (!hasOption(method, methodRules)) throw new Error(`${name} has no policy: nobody may call it`);
  const rules: MethodRules = getOption(method, methodRules);
  if (rules.callers.length === 0) throw new Error(`${name} names no caller: nobody may call it`);
  const callers = new Set(rules.callers);
  const stranger = rules.onBehalf.find((workload) => !callers.has(workload));
  if (stranger !== undefined) throw new Error(`${name} believes ${stranger}, which may not call it`);
  return {
    callers,
    onBehalf: new Set(rules.onBehalf),
    deadlineMs: rules.deadline === undefined ? undefined : durationMs(rules.deadline),
    retriedByHop: rules.retry === MethodRules_RetryOwner.HOP,
  };
}

/** The policies of all RPCs of a service, by the RPC's local name. */
export function policiesOf(service: DescService): ReadonlyMap<string, MethodPolicy> {
  return new Map(service.methods.map((method) => [method.localName, policyOf(method)]));
}

/**
 * Who may ask about the server itself: health and reflection, which carry no option of ours.
 */
export const SERVER_CALLERS = {
  health: ["operator", "prometheus"],
  reflection: ["operator"],
} as const;

/** The policy of an RPC of the server itself: the callers given, for nobody else, without a deadline. */
export function serverPolicy(callers: readonly string[]): MethodPolicy {
  return { callers: new Set(callers), onBehalf: new Set(), deadlineMs: undefined, retriedByHop: false };
}
