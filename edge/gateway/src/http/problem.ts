import { create, createRegistry, toBinary, toJson } from "@bufbuild/protobuf";
import { AnySchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import { StatusSchema } from "@orrery/contracts/gen/google/rpc/status_pb.js";
import { ProblemSchema } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { Fault, isReason, reasonRules } from "@orrery/mesh/fault/fault";
import { faultFrom, problemFrom, toConnectError } from "@orrery/mesh/fault/wire";
import { wantsRpcStatus } from "@orrery/transcoder";

/** Where a problem document belongs: the edge's address, the path, and the trace. */
export interface ProblemAbout {
  readonly edge: string;
  readonly instance: string;
  readonly traceId: string;
}

/** An error as it goes out. */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const CHALLENGE = 'Bearer realm="orrery"';
/** Seconds that a client is told to wait where nobody knows better. */
const DEFAULT_RETRY_SECONDS = 1;

const detailTypes = createRegistry(BadRequestSchema, ErrorInfoSchema, RetryInfoSchema);

/**
 * The fault behind an error of any layer. What the transcoder found in the request keeps its text and fields:
 * the transcoder does not know our domain, but its reasons are among ours by name.
 */
export function faultOf(error: unknown): Fault {
  const fault = faultFrom(error);
  if (!(error instanceof ConnectError)) return fault;
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info?.domain === "orrery") return fault;
  const reason = info !== undefined && isReason(info.reason) ? info.reason : fault.reason;
  if (reason === "INTERNAL") return fault;
  return new Fault(
    reason,
    { detail: error.rawMessage, fieldViolations: fault.fieldViolations, retryAfterMs: fault.retryAfterMs },
    { cause: error },
  );
}

/** The problem document of a fault (RFC 9457), every field of it present. */
export function problemDocument(fault: Fault, about: ProblemAbout): { status: number } & object {
  const problem = problemFrom(fault, about);
  const document = toJson(ProblemSchema, problem, { alwaysEmitImplicit: true });
  return Object.assign(document as object, { status: problem.status });
}

/** The headers that belong to a fault: when to come back, and how to say who one is. */
export function faultHeaders(fault: Fault): Record<string, string> {
  const { httpStatus } = reasonRules(fault.reason);
  const seconds = retryAfterSeconds(fault, httpStatus);
  return {
    ...(seconds === undefined ? {} : { "retry-after": String(seconds) }),
    ...(httpStatus === 401 ? { "www-authenticate": CHALLENGE } : {}),
  };
}

/** A fault as an HTTP answer, in the form that the client takes. */
export function errorAnswer(fault: Fault, about: ProblemAbout, accept: string | undefined): ErrorAnswer {
  const status = reasonRules(fault.reason).httpStatus;
  const rpcStatus = wantsRpcStatus(accept);
  const document = rpcStatus ? rpcStatusDocument(fault) : problemDocument(fault, about);
  return {
    status,
    headers: {
      "content-type": rpcStatus ? "application/json" : "application/problem+json",
      "cache-control": "no-store",
      ...faultHeaders(fault),
    },
    body: JSON.stringify(document),
  };
}

/** google.rpc.Status in ProtoJSON, for clients that take application/json and no problem document. */
function rpcStatusDocument(fault: Fault): object {
  const error = toConnectError(fault);
  const details = error.details.map((detail) => {
    const outgoing = "desc" in detail;
    return create(AnySchema, {
      typeUrl: `type.googleapis.com/${outgoing ? detail.desc.typeName : detail.type}`,
      value: outgoing ? toBinary(detail.desc, create(detail.desc, detail.value)) : detail.value,
    });
  });
  const status = create(StatusSchema, { code: error.code, message: error.rawMessage, details });
  return toJson(StatusSchema, status, { registry: detailTypes, alwaysEmitImplicit: true }) as object;
}

function retryAfterSeconds(fault: Fault, httpStatus: number): number | undefined {
  if (fault.retryAfterMs !== undefined) return Math.max(1, Math.ceil(fault.retryAfterMs / 1_000));
  const waits = httpStatus === 429 || httpStatus === 503 || fault.reason === "IDEMPOTENCY_IN_FLIGHT";
  return waits ? DEFAULT_RETRY_SECONDS : undefined;
}
