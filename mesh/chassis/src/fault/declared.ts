import { type DescMethod, getOption } from "@bufbuild/protobuf";
import { method as methodRules } from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { Fault, type Reason } from "./fault.ts";

/**
 * Why any RPC may be refused, whatever it does: its door, its deadline and what it stands on are the same for all, so
 * that no proto repeats them.
 */
export const REASONS_OF_EVERY_RPC: ReadonlySet<Reason> = new Set([
  "INVALID_REQUEST",
  "UNAUTHENTICATED",
  "CALLER_NOT_ALLOWED",
  "BODY_TOO_LARGE",
  "ANSWER_TOO_LARGE",
  "CANCELLED",
  "INTERNAL",
  "UNIMPLEMENTED",
  "DEPENDENCY_UNAVAILABLE",
  "OVERLOADED",
  "DEADLINE_EXCEEDED",
]);

/** The reasons that an RPC declares as its own, by its proto option. */
export function declaredReasons(method: DescMethod): ReadonlySet<string> {
  return new Set(getOption(method, methodRules).reasons.map((reason) => Problem_Reason[reason] ?? ""));
}

/** A refusal that the contract of its RPC does not have: a defect of whoever threw it. */
export class UndeclaredReason extends Error {
  override readonly name = "UndeclaredReason";

  constructor(method: DescMethod, reason: Reason, cause: unknown) {
    const rpc = `${method.parent.typeName}/${method.name}`;
    super(`${rpc} was refused with ${reason}: name it under reasons in the proto, or throw another`, {
      cause,
    });
  }
}

/** What is wrong with a failure of an RPC; undefined where its contract has it, or where it carries no reason. */
export function undeclaredReason(method: DescMethod, error: unknown): UndeclaredReason | undefined {
  if (!(error instanceof Fault) || REASONS_OF_EVERY_RPC.has(error.reason)) return undefined;
  if (declaredReasons(method).has(error.reason)) return undefined;
  return new UndeclaredReason(method, error.reason, error);
}
