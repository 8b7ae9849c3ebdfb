import { create } from "@bufbuild/protobuf";
import { durationFromMs, durationMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import {
  type Problem,
  Problem_Reason,
  ProblemSchema,
} from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { Fault, isReason, type Reason, reasonRules } from "./fault.ts";

// A fault crosses a process boundary as a gRPC status with the details of google/rpc/error_details.proto:
// ErrorInfo carries the reason, BadRequest the fields, RetryInfo the pause. Nothing else of it leaves.

const DOMAIN = "orrery";
const UNEXPECTED = "The trace id finds what happened in the logs.";

/**
 * Renders a failure for the wire. A `Fault` keeps reason, detail, fields and pause; a `ConnectError` passes
 * as it is; anything else becomes INTERNAL, and its text stays here (it is the `cause`, for the log).
 */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) return error;
  const fault =
    error instanceof Fault ? error : new Fault("INTERNAL", { detail: UNEXPECTED }, { cause: error });
  const details: ConnectError["details"] = [
    { desc: ErrorInfoSchema, value: { reason: fault.reason, domain: DOMAIN } },
  ];
  if (fault.fieldViolations.length > 0) {
    details.push({ desc: BadRequestSchema, value: { fieldViolations: [...fault.fieldViolations] } });
  }
  if (fault.retryAfterMs !== undefined) {
    details.push({ desc: RetryInfoSchema, value: { retryDelay: durationFromMs(fault.retryAfterMs) } });
  }
  const rendered = new ConnectError(
    fault.message,
    reasonRules(fault.reason).code,
    undefined,
    undefined,
    error,
  );
  rendered.details = details;
  return rendered;
}

/**
 * Reads a failure back. Takes what our services send, and what grpc-js or a mesh proxy sends without details;
 * anything that is neither becomes INTERNAL with the original as `cause`.
 */
export function faultFrom(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (!(error instanceof ConnectError)) {
    return new Fault("INTERNAL", { detail: UNEXPECTED }, { cause: error });
  }
  const info = error.findDetails(ErrorInfoSchema).find(({ domain }) => domain === DOMAIN);
  const declared = info !== undefined && isReason(info.reason) ? info.reason : undefined;
  const reason = declared ?? reasonWithoutDetails(error);
  const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const fields = error.findDetails(BadRequestSchema).flatMap(({ fieldViolations }) => fieldViolations);
  return new Fault(
    reason,
    {
      detail: declared === undefined ? reasonRules(reason).cause : error.rawMessage,
      fieldViolations: fields.map(({ field, description }) => ({ field, description })),
      retryAfterMs: delay === undefined ? undefined : durationMs(delay),
    },
    { cause: error },
  );
}

/**
 * Writes a fault as the problem document of RFC 9457.
 *
 * @param about - `edge`: address of the edge without a slash at its end; `instance`: path of the request;
 *   `traceId`: 32 hex digits
 */
export function problemFrom(
  fault: Fault,
  about: { edge: string; instance: string; traceId: string },
): Problem {
  const rules = reasonRules(fault.reason);
  return create(ProblemSchema, {
    type: problemType(about.edge, fault.reason),
    title: rules.title,
    status: rules.httpStatus,
    detail: fault.message,
    instance: about.instance,
    code: codeName(rules.code),
    reason: Problem_Reason[fault.reason],
    retryable: rules.retryable,
    fieldViolations: [...fault.fieldViolations],
    traceId: about.traceId,
  });
}

/** The `type` of a problem document: the page of its reason. @param edge - its address, without a slash at its end */
export const problemType = (edge: string, reason: Reason): string => `${edge}/problems/${reason}`;

/** The name of a gRPC code as google.rpc.Code writes it: `NOT_FOUND`, and CANCELLED with two L. */
export function codeName(code: Code): string {
  if (code === Code.Canceled) return "CANCELLED";
  const name: string | undefined = Code[code];
  return name === undefined ? "UNKNOWN" : name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
}

// What grpc-js and proxies mean when they send a bare code. A bare code never came from a handler of ours.
function reasonWithoutDetails(error: ConnectError): Reason {
  switch (error.code) {
    case Code.Canceled:
      return "CANCELLED";
    case Code.InvalidArgument:
    case Code.OutOfRange:
      return "INVALID_REQUEST";
    case Code.NotFound:
      return "NOT_FOUND";
    case Code.PermissionDenied:
      return "CALLER_NOT_ALLOWED";
    case Code.Unauthenticated:
      return "UNAUTHENTICATED";
    case Code.Unimplemented:
      return "UNIMPLEMENTED";
    case Code.DeadlineExceeded:
      return "DEADLINE_EXCEEDED";
    case Code.Unavailable:
    case Code.Aborted:
      return "DEPENDENCY_UNAVAILABLE";
    case Code.ResourceExhausted:
      // The texts of grpc-js that tell a large message, received or sent, from a busy server.
      return /message (with a size )?larger than/i.test(error.rawMessage) ? "BODY_TOO_LARGE" : "OVERLOADED";
    default:
      return "INTERNAL";
  }
}
