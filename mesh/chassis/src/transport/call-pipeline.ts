import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type {
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
} from "@grpc/grpc-js";
import { Fault, reasonRules } from "../fault/fault.ts";
import { codeName, toConnectError } from "../fault/wire.ts";
import { inTraceOf } from "../telemetry/trace.ts";
import { statusFrom } from "./grpc-codec.ts";
import type { OpenCall } from "./open-call.ts";
import { requireValid } from "./validation.ts";

// What every call passes through: identity, policy, deadline (in `admit`), decoding and validation, the
// handler, and whatever happened, one line of telemetry. The four kinds of RPC differ in how messages come
// and go, nothing else.

/** Any of the four call objects of grpc-js. */
export type GrpcCall =
  | ServerUnaryCall<Buffer, Uint8Array>
  | ServerReadableStream<Buffer, Uint8Array>
  | ServerWritableStream<Buffer, Uint8Array>
  | ServerDuplexStream<Buffer, Uint8Array>;

/** One RPC, its handler, and the two ends of the pipeline around it. */
export interface ServedRpc {
  readonly method: DescMethod;
  readonly handler: (request: unknown, call: OpenCall) => unknown;
  /** The largest answer, in bytes. */
  readonly answerBytes: number;
  /** Decides over identity, policy and deadline. @throws Fault */
  admit(call: GrpcCall): OpenCall;
  /** Notes the end of a call that was admitted; `code` as in `NOT_FOUND`. */
  done(call: OpenCall | undefined, code: string, startedMs: number): void;
  /** Logs a failure that no handler meant to throw. */
  unexpected(error: unknown, call: OpenCall | undefined): void;
  nowMs(): number;
}

type Init = MessageInitShape<DescMessage>;

/** Serves one unary call. */
export function serveUnary(
  rpc: ServedRpc,
  call: ServerUnaryCall<Buffer, Uint8Array>,
  callback: sendUnaryData<Uint8Array>,
): void {
  const end = ending(rpc, (error, answer) =>
    callback(error === undefined ? null : statusFrom(error), answer),
  );
  const open = end.admit(call);
  if (open === undefined) return;
  end.run(async () => {
    const request = decode(rpc, call.request);
    return encode(rpc, await (rpc.handler(request, open) as Promise<Init>));
  });
}

/** Serves one call that sends many messages and answers once. */
export function serveClientStream(
  rpc: ServedRpc,
  call: ServerReadableStream<Buffer, Uint8Array>,
  callback: sendUnaryData<Uint8Array>,
): void {
  const end = ending(rpc, (error, answer) =>
    callback(error === undefined ? null : statusFrom(error), answer),
  );
  const open = end.admit(call);
  if (open === undefined) return;
  end.run(async () => encode(rpc, await (rpc.handler(incoming(rpc, call, open), open) as Promise<Init>)));
}

/** Serves one call that is answered by a stream. */
export function serveServerStream(rpc: ServedRpc, call: ServerWritableStream<Buffer, Uint8Array>): void {
  serveStream(rpc, call, () => decode(rpc, call.request));
}

/** Serves one call with a stream each way. */
export function serveBidi(rpc: ServedRpc, call: ServerDuplexStream<Buffer, Uint8Array>): void {
  serveStream(rpc, call, (open) => incoming(rpc, call, open));
}

function serveStream(
  rpc: ServedRpc,
  call: ServerWritableStream<Buffer, Uint8Array> | ServerDuplexStream<Buffer, Uint8Array>,
  requestFrom: (open: OpenCall) => unknown,
): void {
  const end = ending(rpc, (error) => {
    // grpc-js sends the status of an error that is emitted on the stream.
    if (error === undefined) call.end();
    else if (!call.destroyed) call.emit("error", statusFrom(error));
  });
  const open = end.admit(call);
  if (open === undefined) return;
  end.run(async () => {
    const answers = rpc.handler(requestFrom(open), open) as AsyncIterable<Init>;
    for await (const answer of answers) {
      if (open.ended !== undefined) throw open.ended;
      if (!call.write(encode(rpc, answer))) await drained(call, open);
    }
    return undefined;
  });
}

// Brings a call to its one end, whoever ends it: the handler, its failure, or the outside.
function ending(
  rpc: ServedRpc,
  send: (error: unknown, answer?: Uint8Array) => void,
): { admit(call: GrpcCall): OpenCall | undefined; run(work: () => Promise<Uint8Array | undefined>): void } {
  const startedMs = rpc.nowMs();
  let open: OpenCall | undefined;
  let over = false;
  const finish = (error: unknown, answer?: Uint8Array): void => {
    if (over) return;
    over = true;
    const failure = error === undefined ? undefined : toConnectError(error);
    if (failure !== undefined && !isMeant(error)) rpc.unexpected(error, open);
    send(failure, answer);
    rpc.done(open, failure === undefined ? "OK" : codeName(failure.code), startedMs);
  };
  return {
    admit: (call) => {
      try {
        open = rpc.admit(call);
      } catch (refusal) {
        finish(refusal);
        return undefined;
      }
      open.onEnd = finish;
      return open;
    },
    run: (work) => {
      const working = open === undefined ? work() : inTraceOf(open.traceparent, work);
      working.then(
        (answer) => finish(undefined, answer),
        (failure: unknown) => finish(open?.ended ?? failure),
      );
    },
  };
}

function isMeant(error: unknown): boolean {
  return error instanceof Fault && reasonRules(error.reason).code !== Code.Internal;
}

function decode(rpc: ServedRpc, bytes: Buffer): unknown {
  const schema = rpc.method.input;
  const message = parse(schema, bytes);
  requireValid(schema, message);
  return message;
}

function parse(schema: DescMessage, bytes: Buffer): ReturnType<typeof fromBinary<DescMessage>> {
  try {
    return fromBinary(schema, bytes);
  } catch (failure) {
    throw new Fault("INVALID_REQUEST", { detail: `not a ${schema.typeName}` }, { cause: failure });
  }
}

// grpc-js would refuse such an answer in the words that it has for a request which is too large.
function encode({ method, answerBytes }: ServedRpc, answer: Init): Uint8Array {
  const bytes = toBinary(method.output, create(method.output, answer));
  if (bytes.length <= answerBytes) return bytes;
  const detail = `the answer of ${method.name} has ${bytes.length} bytes, and may have ${answerBytes}`;
  throw new Fault("ANSWER_TOO_LARGE", { detail });
}

async function* incoming(
  rpc: ServedRpc,
  call: ServerReadableStream<Buffer, Uint8Array> | ServerDuplexStream<Buffer, Uint8Array>,
  open: OpenCall,
): AsyncGenerator<unknown> {
  // A handler that stops reading still answers: ending the loop must not destroy the stream.
  const bytes: AsyncIterable<Buffer> = call.iterator({ destroyOnReturn: false });
  try {
    for await (const message of bytes) yield decode(rpc, message);
  } catch (failure) {
    throw open.ended ?? failure;
  }
}

// Waits until the peer has taken what was written; ends early when the call does.
function drained(
  call: ServerWritableStream<Buffer, Uint8Array> | ServerDuplexStream<Buffer, Uint8Array>,
  open: OpenCall,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { signal } = open;
  const go = (): void => {
    call.off("drain", go);
    signal.removeEventListener("abort", go);
    resolve();
  };
  call.on("drain", go);
  signal.addEventListener("abort", go);
  if (signal.aborted || call.destroyed) go();
  return promise;
}
