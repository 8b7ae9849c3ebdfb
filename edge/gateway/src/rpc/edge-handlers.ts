import { once } from "node:events";
import { type DescMethod, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import {
  Metadata,
  type MethodDefinition,
  type ServerDuplexStream,
  type ServerWritableStream,
} from "@grpc/grpc-js";
import { type WorkResponse, WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Clock } from "@orrery/mesh/time/clock";
import { methodDefinition, pathOf, statusFrom } from "@orrery/mesh/transport/grpc-codec";
import type { Admission, Admittee } from "../auth/admission.ts";
import type { HeaderReader } from "../auth/authenticate.ts";
import type { Caller } from "../auth/key-store.ts";
import type { Dispatcher } from "../dispatch/dispatcher.ts";
import { clientGone, type EdgeCall, outOfTime } from "../dispatch/edge-call.ts";
import type { UnsentBytes } from "../dispatch/unsent-bytes.ts";
import { requestTrace } from "../http/exchange.ts";
import { bodyLimitBytes, LIMITS } from "../http/limits.ts";
import { faultOf } from "../http/problem.ts";
import { holdsMoreFields } from "./field-count.ts";
import type { GrpcRecorder } from "./grpc-record.ts";
import { withDrain } from "./work-drain.ts";

export interface EdgeHandlersOptions {
  readonly dispatcher: Dispatcher;
  readonly admission: Admission;
  readonly recorder: GrpcRecorder;
  readonly clock: Clock;
  readonly unsent: UnsentBytes;
  /** Aborted when the gateway is about to stop. */
  readonly drainSignal: AbortSignal;
  /** Aborted when the streams that are still open then have to end. */
  readonly stopSignal: AbortSignal;
}

/** Calls of grpc-js. Messages are bytes there: it would answer INTERNAL for bytes that it cannot decode. */
type AnsweredCall = ServerWritableStream<Buffer, Uint8Array>;
type DuplexCall = ServerDuplexStream<Buffer, Uint8Array>;
type StreamCall = AnsweredCall | DuplexCall;

/**
 * How grpc-js has to serve an RPC: each as one that is answered by a stream, which is the same on the wire, since it
 * tells of no single answer when the client took it.
 */
export const edgeDefinition = (method: DescMethod): MethodDefinition<Buffer, Uint8Array> => ({
  ...methodDefinition(method),
  responseStream: true,
});

/** The function that serves one RPC on the gRPC port. */
export function edgeHandler(method: DescMethod, options: EdgeHandlersOptions): (call: StreamCall) => void {
  return (call) => void serveCall(method, options, call);
}

async function serveCall(method: DescMethod, options: EdgeHandlersOptions, call: StreamCall): Promise<void> {
  const record = options.recorder.begin(method);
  try {
    const opened = openCall(method, call, options);
    record.opened(opened);
    const refusable = options.dispatcher.reads(method);
    const send = sender(call, opened.caller, { unsent: options.unsent, refusable });
    if (method.methodKind === "unary") {
      const request = parse(method, (call as AnsweredCall).request);
      send(toBinary(method.output, await options.dispatcher.unary(method, request, opened)));
    } else {
      const edgeCall = { ...opened, signal: AbortSignal.any([opened.signal, options.stopSignal]) };
      const answers = options.dispatcher.stream(method, requestsOf(method, call), edgeCall);
      for await (const message of withGoodbye(method, answers, options.drainSignal)) {
        edgeCall.signal.throwIfAborted();
        // A client that does not read holds the service back, not this process's memory.
        if (!send(toBinary(method.output, message))) await once(call, "drain", { signal: edgeCall.signal });
      }
    }
    record.ended(undefined);
    call.end();
  } catch (error) {
    const fault = endOfCall(method, call, options) ?? faultOf(error);
    record.ended(fault);
    call.emit("error", statusFrom(fault));
  }
}

/**
 * Sends the messages of a call, and counts each until its client took it or is gone.
 *
 * @param refusable - nothing was carried out for them
 * @returns whether there is room for more · @throws Fault as `UnsentBytes.requireRoom` before a large one, if refusable
 */
function sender(
  call: StreamCall,
  caller: Caller,
  { unsent, refusable }: { unsent: UnsentBytes; refusable: boolean },
): (bytes: Uint8Array) => boolean {
  const waiting = new Set<Disposable>();
  const over = (part: Disposable): void => {
    waiting.delete(part);
    part[Symbol.dispose]();
  };
  call.once("cancelled", () => waiting.forEach(over));
  return (bytes) => {
    if (refusable) unsent.requireRoom(caller, bytes.length);
    const part = unsent.count(caller, bytes.length);
    waiting.add(part);
    return call.write(bytes, () => over(part));
  };
}

function withGoodbye(
  method: DescMethod,
  answers: AsyncIterable<Message>,
  drainSignal: AbortSignal,
): AsyncIterable<Message> {
  if (method !== WorkService.method.work) return answers;
  return withDrain(answers as AsyncIterable<WorkResponse>, drainSignal);
}

/** Why a call was ended from outside; undefined where it failed by itself, and for a single answer unless cancelled. */
function endOfCall(
  method: DescMethod,
  call: StreamCall,
  { stopSignal, clock }: EdgeHandlersOptions,
): Fault | undefined {
  if (call.cancelled) return cancellation(call, clock);
  if (!stopSignal.aborted || method.methodKind === "unary") return undefined;
  return new Fault("DEPENDENCY_UNAVAILABLE", { detail: "This gateway is stopping.", retryAfterMs: 250 });
}

async function* requestsOf(method: DescMethod, call: StreamCall): AsyncIterable<Message> {
  if (method.methodKind === "server_streaming") {
    // grpc-js gives the one request of such a call beside the stream.
    yield parse(method, (call as AnsweredCall).request);
    return;
  }
  for await (const bytes of (call as DuplexCall).iterator({ destroyOnReturn: false })) {
    yield parse(method, bytes as Buffer);
  }
}

/**
 * Admits a call, and makes what the dispatcher needs of it. Its id, trace and rate go out as initial
 * metadata.
 */
function openCall(method: DescMethod, call: StreamCall, { admission, clock }: EdgeHandlersOptions): EdgeCall {
  const header = metadataReader(call.metadata);
  const trace = requestTrace(header, clock);
  const admittee: Admittee = {
    header,
    correlationId: trace.correlationId,
    caller: undefined,
    answerHeaders: { "x-correlation-id": trace.correlationId, traceparent: trace.traceparent },
  };
  const gone = new AbortController();
  call.once("cancelled", () => gone.abort(cancellation(call, clock)));
  try {
    const caller = admission.admit(admittee);
    return {
      ...trace,
      caller,
      header,
      instance: pathOf(method),
      signal: gone.signal,
      timeoutMs: remainingMs(call.getDeadline(), clock),
      spend: () => admission.spend(caller),
    };
  } finally {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(admittee.answerHeaders)) metadata.set(name, value);
    call.sendMetadata(metadata);
  }
}

/** Reads metadata as headers; what is binary is no header of ours. */
export function metadataReader(metadata: Metadata): HeaderReader {
  return (name) => {
    const values = metadata.get(name).filter((value) => typeof value === "string");
    return values.length === 0 ? undefined : values.join(", ");
  };
}

/** Why a call was cancelled. grpc-js answers and cancels it at its deadline, and so do clients, by their own clock. */
function cancellation(call: StreamCall, clock: Clock): Fault {
  const leftMs = remainingMs(call.getDeadline(), clock);
  return leftMs !== undefined && leftMs <= LIMITS.deadlineSlackMs ? outOfTime() : clientGone();
}

function remainingMs(deadline: Date | number, clock: Clock): number | undefined {
  const atMs = typeof deadline === "number" ? deadline : deadline.getTime();
  return Number.isFinite(atMs) ? Math.max(0, atMs - clock.nowMs()) : undefined;
}

/** What a caller is told whose bytes do not decode; what the parser thinks of them is not for outside. */
export function notTheMessage(method: DescMethod, cause?: unknown): Fault {
  return new Fault("INVALID_REQUEST", { detail: `The bytes are no ${method.input.typeName}.` }, { cause });
}

/** @throws Fault BODY_TOO_LARGE, in bytes or in fields · INVALID_REQUEST for bytes that are not the message */
function parse(method: DescMethod, bytes: Buffer): Message {
  const limitBytes = bodyLimitBytes(method);
  if (bytes.length > limitBytes) {
    throw new Fault("BODY_TOO_LARGE", { detail: `A message may have at most ${limitBytes} bytes.` });
  }
  try {
    if (bytes.length <= LIMITS.bodyBytes || !holdsMoreFields(method.input, bytes, LIMITS.messageFields)) {
      return fromBinary(method.input, bytes, { recursionLimit: LIMITS.messageLevels });
    }
  } catch (cause) {
    throw notTheMessage(method, cause);
  }
  throw new Fault("BODY_TOO_LARGE", {
    detail: `A message may have at most ${LIMITS.messageFields} fields, those of values in it included.`,
  });
}
