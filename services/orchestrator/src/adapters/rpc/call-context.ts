import { type Call, requireOnBehalf } from "@orrery/mesh/transport/route";
import type { Caller } from "../../application/ports.ts";

/** Who asks, in a call on behalf of a project. @throws Fault `CALLER_NOT_ALLOWED` where nobody is named */
export function callerOf(call: Call): Caller {
  const { project, principal } = requireOnBehalf(call);
  return { project, principal, correlationId: call.correlationId, traceparent: call.traceparent };
}
