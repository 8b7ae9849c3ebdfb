import {
  create,
  type DescMessage,
  type DescMethodStreaming,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { StreamResponse } from "@connectrpc/connect";
import type { Client, ClientDuplexStream, Metadata, ServiceError } from "@grpc/grpc-js";
import { failureOf, headersFrom, type OutgoingCall, renderFailure } from "./client-failure.ts";
import { asBuffer, pathOf, sameBytes } from "./grpc-codec.ts";

interface StreamCall<I extends DescMessage, O extends DescMessage> extends OutgoingCall {
  readonly method: DescMethodStreaming<I, O>;
  /** By the wall clock, in milliseconds; Infinity for a stream without an end. */
  readonly deadline: number;
  readonly metadata: Metadata;
  readonly input: AsyncIterable<MessageInitShape<I>>;
}

type Stream = ClientDuplexStream<Buffer, Buffer>;

/**
 * How long an opening counts as under way for the breaker; a peer may well admit a stream by its first
 * message.
 */
const OPENING_LIMIT_MS = 5_000;

/**
 * Opens a stream of any of the three kinds: on the wire they differ in how often each end speaks, nothing
 * else.
 *
 * Resolves when the peer has admitted the stream (its initial metadata), or when nothing has been heard for
 * five seconds: what comes later shows in the messages. Writing waits for the peer to read, reading for us to
 * take.
 *
 * @throws Fault when the peer refuses before it admits
 */
export function openStream<I extends DescMessage, O extends DescMessage>(
  client: Client,
  call: StreamCall<I, O>,
): Promise<StreamResponse<I, O>> {
  const { method, metadata, deadline } = call;
  const stream: Stream = client.makeBidiStreamRequest(pathOf(method), sameBytes, sameBytes, metadata, {
    deadline,
  });
  const end = new StreamEnd(stream, call);
  void send(stream, call).catch((failure: unknown) => end.fail(failure));
  const { promise, resolve, reject } = Promise.withResolvers<StreamResponse<I, O>>();
  const response: StreamResponse<I, O> = {
    stream: true,
    service: method.parent,
    method,
    message: receive(stream, method.output, end),
    get header() {
      return headersFrom(end.initial);
    },
    get trailer() {
      return headersFrom(end.trailing);
    },
  };
  const admitted = (): void => {
    clearTimeout(opening);
    if (end.failure === undefined) resolve(response);
    else reject(end.failure);
  };
  const opening = setTimeout(admitted, OPENING_LIMIT_MS).unref();
  end.onChange = admitted;
  return promise;
}

// What is known of the stream's two ends. The listeners stay for the stream's whole life: grpc-js emits a
// refusal as an error, and an error that nobody listens for ends the process.
class StreamEnd {
  readonly #stream: Stream;
  readonly #signal: AbortSignal | undefined;
  initial: Metadata | undefined;
  trailing: Metadata | undefined;
  failure: unknown;
  onChange: (() => void) | undefined;

  constructor(stream: Stream, { method, limitMs, signal }: OutgoingCall) {
    this.#stream = stream;
    this.#signal = signal;
    stream.on("metadata", (metadata) => {
      this.initial = metadata;
      this.onChange?.();
    });
    stream.on("status", (status) => {
      this.trailing = status.metadata;
      this.#signal?.removeEventListener("abort", this.cancel);
      this.onChange?.();
    });
    stream.on("error", (error: ServiceError) => {
      this.failure ??= failureOf({ method, limitMs, signal }, error);
      this.onChange?.();
    });
    signal?.addEventListener("abort", this.cancel);
    if (signal?.aborted) this.cancel();
  }

  cancel = (): void => {
    this.#stream.cancel();
  };

  fail(failure: unknown): void {
    this.failure ??= failure;
    this.cancel();
    this.onChange?.();
  }
}

async function send<I extends DescMessage, O extends DescMessage>(
  stream: Stream,
  { method, input }: StreamCall<I, O>,
): Promise<void> {
  let over = false;
  const messages = input[Symbol.asyncIterator]();
  // The stream may end while its source waits: the source is told then, since nobody will ask it again.
  stream.once("status", () => {
    over = true;
    void messages.return?.()?.catch(() => undefined);
  });
  for (;;) {
    const next = await messages.next();
    if (over) return;
    if (next.done === true) break;
    const room = stream.write(asBuffer(toBinary(method.input, create(method.input, next.value))));
    if (!room) await drained(stream);
  }
  stream.end();
}

// Waits until the peer has taken what was written, or the stream is over.
function drained(stream: Stream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const go = (): void => {
    stream.off("drain", go);
    stream.off("status", go);
    resolve();
  };
  stream.on("drain", go);
  stream.on("status", go);
  return promise;
}

async function* receive<O extends DescMessage>(
  stream: Stream,
  schema: O,
  end: StreamEnd,
): AsyncGenerator<MessageShape<O>> {
  const bytes: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
  try {
    for await (const message of bytes) yield fromBinary(schema, message);
  } catch (failure) {
    throw renderFailure(end.failure ?? failure);
  } finally {
    // Ends the call when the reader stops early; after the end it does nothing.
    end.cancel();
  }
  if (end.failure !== undefined) throw renderFailure(end.failure);
}
