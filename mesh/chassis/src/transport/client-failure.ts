import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Metadata, ServiceError } from "@grpc/grpc-js";
import { Fault } from "../fault/fault.ts";
import { faultFrom, toConnectError } from "../fault/wire.ts";
import { errorFrom } from "./grpc-codec.ts";

const RETRY_AFTER_MS = 1_000;

/** What a failed call of grpc-js means: a fault, with the original inside. */
export function failureOf(
  method: DescMethod,
  error: ServiceError | null,
  signal: AbortSignal | undefined,
): Fault {
  if (signal?.aborted === true) return callerGone();
  if (error === null) return new Fault("INTERNAL", { detail: "the call ended without an answer" });
  const failure = errorFrom(error);
  const unanswered = failure.details.length === 0;
  const dead = failure.code === Code.Unavailable || failure.code === Code.DeadlineExceeded;
  if (!unanswered || !dead) return faultFrom(failure);
  // No handler spoke: the connection was refused or lost, or the deadline passed in silence.
  const why = failure.code === Code.Unavailable ? "cannot be reached" : "did not answer in time";
  return new Fault(
    "DEPENDENCY_UNAVAILABLE",
    { detail: `${method.parent.typeName} ${why}`, retryAfterMs: RETRY_AFTER_MS },
    { cause: failure },
  );
}

/** The refusal of a call whose caller no longer waits. */
export function callerGone(): Fault {
  return new Fault("CANCELLED", { detail: "the caller went away" });
}

/** Metadata as Connect shows it; binary values as base64. */
export function headersFrom(metadata: Metadata | undefined): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(metadata?.getMap() ?? {})) {
    headers.set(name, typeof value === "string" ? value : Buffer.from(value).toString("base64"));
  }
  return headers;
}

/** A failure as Connect writes it: the peer's own status where it sent one with details, ours otherwise. */
export function renderFailure(failure: unknown): ConnectError {
  const sent = failure instanceof Fault ? failure.cause : undefined;
  return sent instanceof ConnectError && sent.details.length > 0 ? sent : toConnectError(failure);
}
