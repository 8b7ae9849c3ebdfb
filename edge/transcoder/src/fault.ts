import { Code, ConnectError } from "@connectrpc/connect";
import { badRequestDetail, errorInfoDetail, type FieldViolation } from "./error-details.ts";

/** What only HTTP knows of an error. */
interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Not a subclass: ConnectError answers `instanceof` by shape, so that a subclass could not be told apart. */
const httpAnswers = new WeakMap<ConnectError, HttpAnswer>();

/** Domain of the reasons given here, as `google.rpc.ErrorInfo` wants one. */
const DOMAIN = "http";

/** The status and headers that an error made by {@link httpFault} insists on. */
export function httpAnswerOf(error: ConnectError): HttpAnswer | undefined {
  return httpAnswers.get(error);
}

/** An error that has an HTTP status of its own, with an `ErrorInfo` that names the reason. */
function httpFault(
  [code, reason]: readonly [code: Code, reason: string],
  detail: string,
  answer: { status: number; headers?: Record<string, string> },
): ConnectError {
  const error = faultWithReason(code, reason, detail);
  httpAnswers.set(error, { status: answer.status, headers: answer.headers ?? {} });
  return error;
}

function faultWithReason(code: Code, reason: string, detail: string): ConnectError {
  const error = new ConnectError(detail, code);
  error.details.push(errorInfoDetail(reason, DOMAIN));
  return error;
}

/** 400 with the fields that could not be bound; at least one. */
export function bindingFault(violations: readonly FieldViolation[]): ConnectError {
  const [first] = violations;
  const where = first === undefined || first.field === "" ? "" : `${first.field}: `;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : "";
  const error = new ConnectError(`${where}${first?.description ?? "invalid"}${more}`, Code.InvalidArgument);
  error.details.push(badRequestDetail(violations));
  return error;
}

/** 400 about the request as a whole. */
export function malformed(detail: string): ConnectError {
  return new ConnectError(detail, Code.InvalidArgument);
}

export function routeNotFound(): ConnectError {
  return faultWithReason(Code.NotFound, "ROUTE_NOT_FOUND", "no route has this path");
}

export function methodNotAllowed(method: string, allowed: readonly string[]): ConnectError {
  const allow = allowed.join(", ");
  return httpFault([Code.Unimplemented, "METHOD_NOT_ALLOWED"], `this path takes ${allow}, not ${method}`, {
    status: 405,
    headers: { allow },
  });
}

export function bodyTooLarge(limitBytes: number): ConnectError {
  return httpFault(
    [Code.ResourceExhausted, "BODY_TOO_LARGE"],
    `the body may have at most ${limitBytes} bytes`,
    {
      status: 413,
    },
  );
}

export function targetTooLong(limitBytes: number): ConnectError {
  const detail = `the request target may have at most ${limitBytes} bytes`;
  return httpFault([Code.ResourceExhausted, "TARGET_TOO_LONG"], detail, { status: 414 });
}

export function unsupportedMediaType(detail: string, headers: Record<string, string>): ConnectError {
  return httpFault([Code.InvalidArgument, "UNSUPPORTED_MEDIA_TYPE"], detail, { status: 415, headers });
}

export function headersTooLarge(limitBytes: number): ConnectError {
  const detail = `the headers may have at most ${limitBytes} bytes`;
  return httpFault([Code.ResourceExhausted, "HEADERS_TOO_LARGE"], detail, { status: 431 });
}
