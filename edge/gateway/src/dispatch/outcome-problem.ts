import { type Problem, Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { Fault, isReason } from "@orrery/mesh/fault/fault";
import { problemFrom } from "@orrery/mesh/fault/wire";
import type { EdgeCall } from "./edge-call.ts";

/** Where a problem document says that it belongs. */
type ProblemPlace = Pick<EdgeCall, "instance" | "traceId">;

/**
 * Completes a problem that a service wrote: only the edge knows its address, the path and the request's
 * trace.
 */
export function completeProblem(problem: Problem, publicUrl: string, place: ProblemPlace): void {
  const { instance, traceId } = place;
  const { type } = problemFrom(faultFromProblem(problem), { edge: publicUrl, instance, traceId });
  Object.assign(problem, { type, instance, traceId });
}

/** The fault that one item of a coalesced call was refused with, as if the call had been that item's own. */
export function faultFromProblem(problem: Problem): Fault {
  const name = Problem_Reason[problem.reason] ?? "";
  const reason = isReason(name) ? name : "INTERNAL";
  return new Fault(reason, {
    detail: problem.detail,
    fieldViolations: problem.fieldViolations.map(({ field, description }) => ({ field, description })),
  });
}
