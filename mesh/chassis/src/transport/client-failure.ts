import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Metadata, ServiceError } from "@grpc/grpc-js";
import { Fault } from "../fault/fault.ts";
import { faultFrom, toConnectError } from "../fault/wire.ts";
import { errorFrom } from "./grpc-codec.ts";

const RETRY_AFTER_MS = 1_000;
/** Silence shorter than this tells of an impatient caller, not of a dead workload. */
const SILENCE_MS = 1_000;

/** A call as its failure has to know it. */
export interface OutgoingCall {
  readonly method: DescMethod;
  /** The milliseconds that it has in all; Infinity for a stream without an end. */
  readonly limitMs: number;
  readonly signal: AbortSignal | undefined;
}

/** No handler spoke: the connection was refused or lost, or the deadline passed in silence. */
export class Unanswered extends Fault {
  /** Whether the connection was refused or lost, so that the call may not have arrived. */
  readonly undelivered: boolean;
  /** Whether it was the caller who gave too little time. */
  readonly impatient: boolean;

  constructor({ method, limitMs }: OutgoingCall, failure: ConnectError) {
    const undelivered = failure.code === Code.Unavailable;
    const why = undelivered ? "cannot be reached" : "did not answer in time";
    const told = { detail: `${method.parent.typeName} ${why}`, retryAfterMs: RETRY_AFTER_MS };
    super("DEPENDENCY_UNAVAILABLE", told, { cause: failure });
    this.undelivered = undelivered;
    this.impatient = !undelivered && limitMs < SILENCE_MS;
  }
}

/** What a failed call of grpc-js means: a fault, with the original inside. */
export function failureOf(call: OutgoingCall, error: ServiceError | null): Fault {
  const { signal } = call;
  if (signal?.aborted === true) return callerGone();
  if (error === null) return new Fault("INTERNAL", { detail: "the call ended without an answer" });
  const failure = errorFrom(error);
  const unanswered = failure.details.length === 0;
  const dead = failure.code === Code.Unavailable || failure.code === Code.DeadlineExceeded;
  return unanswered && dead ? new Unanswered(call, failure) : faultFrom(failure);
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
