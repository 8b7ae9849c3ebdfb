import type { ItemBudget } from "@orrery/mesh/telemetry/item-budget";
import { type Call, requireOnBehalf } from "@orrery/mesh/transport/route";
import type { Caller, WorkCaller } from "../../application/ports.ts";

/** Who submits one of a call's many jobs, each of which is in the call's trace as far as the budget goes. */
export function callerWithin(traces: ItemBudget, caller: Caller): Caller {
  const traceparent = traces(caller.traceparent);
  return traceparent === caller.traceparent ? caller : { ...caller, traceparent };
}

/** Who asks for work: somebody of a project, or the platform's own worker, which serves all of them. */
export function workCallerOf(call: Call): WorkCaller {
  if (call.onBehalf === undefined && call.caller === PLATFORM_WORKER)
    return { project: undefined, principal: `workload:${call.caller}` };
  const { project, principal } = requireOnBehalf(call);
  return { project, principal };
}

/** The workload that leases for every project, and alone takes the tasks that are the platform's. */
const PLATFORM_WORKER = "worker";
