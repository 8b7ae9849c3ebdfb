import type { Registry } from "@bufbuild/protobuf";
import { Code, type ConnectError } from "@connectrpc/connect";
import { type DetailJson, detailsToJson } from "./error-details.ts";

/**
 * One row for each code of `google/rpc/code.proto`: its name there, its HTTP status, and that status in
 * words.
 */
const CODES: ReadonlyMap<number, readonly [name: string, status: number, title: string]> = new Map([
  [Code.Canceled, ["CANCELLED", 499, "Client Closed Request"]],
  [Code.Unknown, ["UNKNOWN", 500, "Internal Server Error"]],
  [Code.InvalidArgument, ["INVALID_ARGUMENT", 400, "Bad Request"]],
  [Code.DeadlineExceeded, ["DEADLINE_EXCEEDED", 504, "Gateway Timeout"]],
  [Code.NotFound, ["NOT_FOUND", 404, "Not Found"]],
  [Code.AlreadyExists, ["ALREADY_EXISTS", 409, "Conflict"]],
  [Code.PermissionDenied, ["PERMISSION_DENIED", 403, "Forbidden"]],
  [Code.ResourceExhausted, ["RESOURCE_EXHAUSTED", 429, "Too Many Requests"]],
  [Code.FailedPrecondition, ["FAILED_PRECONDITION", 400, "Bad Request"]],
  [Code.Aborted, ["ABORTED", 409, "Conflict"]],
  [Code.OutOfRange, ["OUT_OF_RANGE", 400, "Bad Request"]],
  [Code.Unimplemented, ["UNIMPLEMENTED", 501, "Not Implemented"]],
  [Code.Internal, ["INTERNAL", 500, "Internal Server Error"]],
  [Code.Unavailable, ["UNAVAILABLE", 503, "Service Unavailable"]],
  [Code.DataLoss, ["DATA_LOSS", 500, "Internal Server Error"]],
  [Code.Unauthenticated, ["UNAUTHENTICATED", 401, "Unauthorized"]],
]);

const UNKNOWN_CODE = ["UNKNOWN", 500, "Internal Server Error"] as const;

/** Titles of the statuses that only HTTP knows. */
const HTTP_TITLES: Readonly<Record<number, string>> = {
  405: "Method Not Allowed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  431: "Request Header Fields Too Large",
};

/** The title that a problem document with this status has where only HTTP knows the error. */
export function titleOfHttpStatus(status: number): string | undefined {
  return HTTP_TITLES[status];
}

/** A problem document (RFC 9457) made from an error alone. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Name in `google/rpc/code.proto`. */
  readonly code: string;
  /** From `google.rpc.ErrorInfo`. */
  readonly reason?: unknown;
  readonly domain?: unknown;
  readonly metadata?: unknown;
  /** From `google.rpc.BadRequest`. */
  readonly fieldViolations?: unknown;
  /** All details as `google.protobuf.Any` in ProtoJSON. */
  readonly details?: readonly DetailJson[];
}

/** Makes the default problem document: `type` is `about:blank`, the rest comes from the error. */
export function problemOf(error: ConnectError, registry: Registry): Problem {
  const [code, status, title] = CODES.get(error.code) ?? UNKNOWN_CODE;
  const details = detailsToJson(error, registry);
  const info = findDetail(details, "ErrorInfo");
  const badRequest = findDetail(details, "BadRequest");
  return {
    ...{ type: "about:blank", title, status, detail: error.rawMessage, code },
    ...(info && { reason: info.reason, domain: info.domain, metadata: info.metadata }),
    ...(badRequest && { fieldViolations: badRequest.fieldViolations }),
    ...(details.length > 0 && { details }),
  };
}

/** Makes the ProtoJSON form of `google.rpc.Status`. */
export function rpcStatusOf(error: ConnectError, registry: Registry): object {
  const code = CODES.has(error.code) ? error.code : Code.Unknown;
  return { code, message: error.rawMessage, details: detailsToJson(error, registry) };
}

/** Seconds that a `google.rpc.RetryInfo` asks to wait, rounded up; undefined when the error has none. */
export function retryAfterSeconds(error: ConnectError, registry: Registry): number | undefined {
  const delay = findDetail(detailsToJson(error, registry), "RetryInfo")?.retryDelay;
  return typeof delay === "string" ? Math.max(0, Math.ceil(Number.parseFloat(delay))) : undefined;
}

function findDetail(details: readonly DetailJson[], name: string): DetailJson | undefined {
  return details.find((detail) => detail["@type"] === `type.googleapis.com/google.rpc.${name}`);
}
