import { type Problem, Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { Fault, isReason, type Reason } from "@orrery/mesh/fault/fault";
import { problemType } from "@orrery/mesh/fault/wire";
import type { EdgeCall } from "./edge-call.ts";

/** Where a problem document says that it belongs. */
type ProblemPlace = Pick<EdgeCall, "instance" | "traceId">;

/**
 * Completes a problem that a service wrote: only the edge knows its address, the path and the request's
 * trace.
 */
export function completeProblem(problem: Problem, publicUrl: string, place: ProblemPlace): void {
  problem.type = problemType(publicUrl, reasonOf(problem));
  problem.instance = place.instance;
  problem.traceId = place.traceId;
}

/** The fault that one item of a coalesced call was refused with, as if the call had been that item's own. */
export function faultFromProblem(problem: Problem): Fault {
  return new Fault(reasonOf(problem), {
    detail: problem.detail,
    fieldViolations: problem.fieldViolations.map(({ field, description }) => ({ field, description })),
  });
}

function reasonOf({ reason }: Problem): Reason {
  const name = Problem_Reason[reason] ?? "";
  return isReason(name) ? name : "INTERNAL";
}
