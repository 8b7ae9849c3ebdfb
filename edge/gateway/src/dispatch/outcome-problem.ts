import { type Problem, Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { Fault, isReason } from "@orrery/mesh/fault/fault";
import type { EdgeCall } from "./edge-call.ts";

/** Where a problem document says that it belongs. */
type ProblemPlace = Pick<EdgeCall, "instance" | "traceId">;

/** The page of a reason at this edge: the `type` of its problem documents. */
export function problemType(publicUrl: string, reason: string): string {
  return `${publicUrl}/problems/${reason}`;
}

/**
 * Completes a problem that a service wrote: only the edge knows its address, the path and the request's
 * trace.
 */
export function completeProblem(problem: Problem, publicUrl: string, place: ProblemPlace): void {
  problem.type = problemType(publicUrl, Problem_Reason[problem.reason] ?? "INTERNAL");
  problem.instance = place.instance;
  problem.traceId = place.traceId;
}

/** The fault that one item of a coalesced call was refused with, as if the call had been that item's own. */
export function faultFromProblem(problem: Problem): Fault {
  const name = Problem_Reason[problem.reason] ?? "";
  const reason = isReason(name) ? name : "INTERNAL";
  return new Fault(reason, {
    detail: problem.detail,
    fieldViolations: problem.fieldViolations.map(({ field, description }) => ({
      // The item's place in our own batch means nothing to the caller of a single one.
      field: field.replace(/^(items|jobs)\[\d+\]\.(job\.)?/, ""),
      description,
    })),
  });
}
