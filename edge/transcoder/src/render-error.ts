import type { Registry } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { copyHeaders } from "./call-context.ts";
import { httpAnswerOf } from "./fault.ts";
import { Accept } from "./media-type.ts";
import { problemOf, retryAfterSeconds, rpcStatusOf, titleOfHttpStatus } from "./problem.ts";
import { textResponse } from "./render-response.ts";
import type { TranscoderOptions, TranscoderResponse } from "./seam.ts";

/**
 * Any failure as a ConnectError. Only what was thrown as one keeps its text: other texts may hold secrets.
 */
export function asConnectError(reason: unknown, signal: AbortSignal | undefined): ConnectError {
  if (reason instanceof ConnectError) return reason;
  if (signal?.aborted === true) return new ConnectError("the client went away", Code.Canceled);
  return new ConnectError("internal error", Code.Internal, undefined, undefined, reason);
}

/** Makes error responses, and the last frames of failed streams. */
export class ErrorRenderer {
  readonly #registry: Registry;
  readonly #problem: TranscoderOptions["problem"];

  constructor(registry: Registry, problem: TranscoderOptions["problem"]) {
    this.#registry = registry;
    this.#problem = problem;
  }

  /** The error as an HTTP response. */
  response(error: ConnectError, accept: Accept): TranscoderResponse {
    const { body, status, contentType } = this.#document(error, accept);
    const headers: TranscoderResponse["headers"] = {};
    copyHeaders(error.metadata, headers, "");
    const seconds = retryAfterSeconds(error, this.#registry);
    if (seconds !== undefined) headers["retry-after"] ??= String(seconds);
    Object.assign(headers, httpAnswerOf(error)?.headers, { "content-type": contentType });
    return textResponse(status, headers, JSON.stringify(body));
  }

  /** The JSON of a last frame. */
  frame(error: ConnectError, accept: Accept): string {
    return JSON.stringify({ error: this.#document(error, accept).body });
  }

  #document(error: ConnectError, accept: Accept) {
    const problem = this.#problemOf(error);
    if (takesStatusOnly(accept)) {
      const body = rpcStatusOf(error, this.#registry);
      return { body, status: problem.status, contentType: "application/json" };
    }
    return { body: problem, status: problem.status, contentType: "application/problem+json" };
  }

  #problemOf(error: ConnectError): { status: number } & object {
    const own = httpAnswerOf(error)?.status;
    const problem = this.#givenProblem(error);
    if (own === undefined || own === problem.status) return problem;
    return Object.assign({ ...problem, status: own }, { title: titleOfHttpStatus(own) });
  }

  /**
   * A hook that fails, or makes something that is no JSON, must not replace the error by a broken connection.
   */
  #givenProblem(error: ConnectError): { status: number } & object {
    try {
      const problem = this.#problem?.(error);
      if (problem !== undefined && problem.status >= 400 && problem.status <= 599) {
        JSON.stringify(problem);
        return problem;
      }
    } catch {
      // Falls through to the default document.
    }
    return problemOf(error, this.#registry);
  }
}

/**
 * Whether a client gets errors as `google.rpc.Status`: it takes JSON, and a problem document not at all. For
 * errors of whatever stands before the transcoder, which then have the form of its own.
 *
 * @param header - the text of `Accept`
 */
export function wantsRpcStatus(header: string | undefined): boolean {
  return takesStatusOnly(new Accept(header));
}

function takesStatusOnly(accept: Accept): boolean {
  return accept.qualityOf("application/json") > 0 && accept.qualityOf("application/problem+json") === 0;
}
