/**
 * What no policy may be made of: contracts that Linkerd would drop a part of without a word, or that two layers would
 * enforce differently. Each is refused here, before anything is written.
 */
import type { Duration } from "@bufbuild/protobuf/wkt";
import {
  MethodRules_Exposure as Exposure,
  MethodRules_Repeat as Repeat,
  MethodRules_RetryOwner as RetryOwner,
} from "../../gen/orrery/options/v1/options_pb.js";
import type { Contract, Rpc } from "../image/contract-image.ts";

const NANOS_OF_A_MILLISECOND = 1_000_000;
const SAFE: readonly Repeat[] = [Repeat.READ, Repeat.NATURAL];

/** Everything that stands in the way, as sentences that begin with the RPC. */
export function policyRefusals({ rpcs }: Contract, workloads: readonly string[]): readonly string[] {
  return rpcs.flatMap((rpc) => [...refusalsOf(rpc, workloads)].map((why) => `${rpc.name} ${why}`));
}

function* refusalsOf({ rules, service, method, http }: Rpc, workloads: readonly string[]): Generator<string> {
  if (!workloads.includes(service.workload)) {
    yield `is served by ${service.workload || "nobody"}, which mesh/topology.ts does not have`;
  }
  if (rules.callers.length === 0) yield "names no caller: nobody could call it";
  for (const caller of rules.callers) {
    if (!workloads.includes(caller)) yield `lets ${caller} in, which mesh/topology.ts does not have`;
  }
  for (const caller of rules.onBehalf) {
    if (!rules.callers.includes(caller)) yield `believes ${caller}, which may not call it`;
  }
  if (rules.exposure === Exposure.EDGE && !rules.callers.includes("gateway")) {
    yield "is exposed, and the gateway may not call it";
  }
  if (rules.exposure !== Exposure.EDGE && http !== undefined) yield "has a route, and is not exposed";
  if (rules.retry === RetryOwner.HOP) {
    if (!SAFE.includes(rules.repeat)) yield `is repeated by the hop, and a repeat is ${Repeat[rules.repeat]}`;
    if (method.methodKind !== "unary") yield "is repeated by the hop, and streams";
    if (rules.deadline === undefined) yield "is repeated by the hop, and has no deadline to divide";
  }
  if (rules.deadline !== undefined && !isWholeMilliseconds(rules.deadline)) {
    yield "has a deadline of a part of a millisecond: Linkerd takes integers with a unit";
  }
}

function isWholeMilliseconds({ nanos }: Duration): boolean {
  return nanos % NANOS_OF_A_MILLISECOND === 0;
}
