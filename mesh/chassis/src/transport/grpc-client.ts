import {
  create,
  type DescMessage,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { StreamResponse, Transport, UnaryResponse } from "@connectrpc/connect";
import { type Client, connectivityState, Metadata, type ServiceError } from "@grpc/grpc-js";
import { Fault } from "../fault/fault.ts";
import { codeName, toConnectError } from "../fault/wire.ts";
import { type MethodPolicy, policyOf } from "../policy/method-policy.ts";
import { type Breaker, type BreakerOptions, createBreaker } from "../resilience/breaker.ts";
import { createRetryBudget, retry } from "../resilience/retry.ts";
import { METRIC } from "../telemetry/attributes.ts";
import { createMetrics, type Metrics } from "../telemetry/metrics.ts";
import { type Chance, type Clock, systemChance, systemClock } from "../time/clock.ts";
import { type ChannelTarget, openChannel } from "./client-channel.ts";
import {
  callerGone,
  failureOf,
  headersFrom,
  type OutgoingCall,
  renderFailure,
  Unanswered,
} from "./client-failure.ts";
import { openStream } from "./client-stream.ts";
import { asBuffer, pathOf, sameBytes } from "./grpc-codec.ts";

/** What a transport is made of, beside its channel. */
export interface GrpcTransportOptions extends ChannelTarget {
  readonly metrics?: Metrics | undefined;
  readonly clock?: Clock | undefined;
  readonly chance?: Chance | undefined;
  /**
   * Whether this hop repeats what the contract lets it repeat. True unless said; false where a mesh does it.
   */
  readonly retry?: boolean | undefined;
  readonly breaker?: Omit<BreakerOptions, "dependency" | "metrics" | "clock" | "chance"> | undefined;
}

/** What Connect takes as headers. */
type HeadersInput = NonNullable<ConstructorParameters<typeof Headers>[0]>;

/**
 * Connect's transport over grpc-js: give it to `createClient`. Fails with `ConnectError`; `faultFrom` reads
 * it.
 */
export interface GrpcTransport extends Transport {
  /** What the breaker in front of this workload does. */
  breakerState(): ReturnType<Breaker["state"]>;
  /** Closes the connections; calls under way are cancelled. */
  close(): Promise<void>;
}

/** The longest that a unary call takes when neither caller nor contract says, in milliseconds. */
const UNARY_LIMIT_MS = 30_000;
const HOP_RETRY = { attempts: 2, baseMs: 50, capMs: 50 } as const;

/**
 * A transport to one workload: round robin over its addresses, mutual TLS with the workload's name checked,
 * deadlines that only shrink, one repeat of what may be repeated within a budget of 20 %, and one breaker.
 *
 * A dependency that refuses or hangs fails as DEPENDENCY_UNAVAILABLE with `retryAfterMs`, within the
 * deadline.
 */
export function createGrpcTransport(options: GrpcTransportOptions): GrpcTransport {
  const clock = options.clock ?? systemClock;
  const chance = options.chance ?? systemChance;
  const metrics = options.metrics ?? createMetrics({ service: "client", defaults: false });
  const client = openChannel(options);
  const addresses = options.addresses.length;
  const breaker = createBreaker({
    verdict: judgeOf(client, addresses),
    // All addresses but one may hang for as long as it takes to notice, and the calls to that one go on.
    errorThresholdPercentage: 100 - 100 / Math.max(2, addresses),
    ...options.breaker,
    dependency: options.workload,
    metrics,
    clock,
    chance,
  });
  const budget = createRetryBudget({ ratio: 0.2, minPerSecond: 1, clock });
  const observe = durationRecorder(metrics, clock);

  const unary = async <I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInput | undefined,
    input: MessageInitShape<I>,
  ): Promise<UnaryResponse<I, O>> => {
    const policy = clientPolicy(method);
    const limitMs = Math.min(timeoutMs ?? UNARY_LIMIT_MS, policy.deadlineMs ?? UNARY_LIMIT_MS);
    // Somebody who calls without any time left says nothing about the dependency: the breaker is not asked.
    if (limitMs <= 0)
      throw toConnectError(new Fault("DEADLINE_EXCEEDED", { detail: "no time was left for the call" }));
    const call: UnaryCall<I, O> = {
      method,
      bytes: asBuffer(toBinary(method.input, create(method.input, input))),
      metadata: metadataFrom(header),
      deadline: clock.nowMs() + limitMs,
      limitMs,
      signal,
    };
    const once = (): Promise<UnaryResponse<I, O>> => callUnary(client, call);
    const action = (): Promise<UnaryResponse<I, O>> =>
      options.retry !== false && policy.retriedByHop
        ? retry(once, { policy: HOP_RETRY, budget, chance, signal, retryable: isUndelivered })
        : once();
    return observe(method, () => breaker.guard(action));
  };

  const stream = async <I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInput | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
  ): Promise<StreamResponse<I, O>> => {
    const limitMs = Math.min(timeoutMs ?? Infinity, clientPolicy(method).deadlineMs ?? Infinity);
    const deadline = Number.isFinite(limitMs) ? clock.nowMs() + limitMs : Infinity;
    const open = (): ReturnType<typeof openStream<I, O>> =>
      openStream(client, { method, signal, deadline, limitMs, metadata: metadataFrom(header), input });
    return observe(method, () => breaker.guard(open));
  };

  return {
    unary,
    stream,
    breakerState: () => breaker.state(),
    close: async () => {
      client.close();
      breaker.close();
    },
  };
}

interface UnaryCall<I extends DescMessage, O extends DescMessage> extends OutgoingCall {
  readonly method: DescMethodUnary<I, O>;
  readonly bytes: Buffer;
  readonly metadata: Metadata;
  /** By the wall clock, in milliseconds: grpc-js takes no other. */
  readonly deadline: number;
}

function callUnary<I extends DescMessage, O extends DescMessage>(
  client: Client,
  call: UnaryCall<I, O>,
): Promise<UnaryResponse<I, O>> {
  const { method, limitMs } = call;
  if (call.signal?.aborted) return Promise.reject(callerGone());
  const { promise, resolve, reject } = Promise.withResolvers<UnaryResponse<I, O>>();
  // Node's HTTP/2 keeps a call that has ended, and all it leads to, until V8's next full collection: grpc-js gets bytes
  // to carry, and `pending` goes with the answer.
  const waiting = { resolve, reject, signal: call.signal };
  let pending: typeof waiting | undefined = waiting;
  const heard: Heard = {};
  const settled = (failure: ServiceError | null, bytes?: Buffer): void => {
    if (pending === undefined) return;
    const { signal, ...caller } = pending;
    pending = undefined;
    signal?.removeEventListener("abort", abort);
    if (failure !== null || bytes === undefined) {
      caller.reject(failureOf({ method, limitMs, signal }, failure));
      return;
    }
    try {
      caller.resolve(answerOf(method, fromBinary(method.output, bytes), heard));
    } catch (unreadable) {
      const detail = `the answer of ${method.name} cannot be read`;
      caller.reject(new Fault("INTERNAL", { detail }, { cause: unreadable }));
    }
  };
  const request = client.makeUnaryRequest(
    pathOf(method),
    sameBytes,
    sameBytes,
    call.bytes,
    call.metadata,
    { deadline: call.deadline },
    settled,
  );
  const abort = (): void => request.cancel();
  call.signal?.addEventListener("abort", abort);
  request.on("metadata", (metadata) => {
    heard.initial = metadata;
  });
  request.on("status", (status) => {
    heard.trailing = status.metadata;
  });
  return promise;
}

/** What came with an answer: the trailers are heard after it. */
interface Heard {
  initial?: Metadata;
  trailing?: Metadata;
}

function answerOf<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  message: MessageShape<O>,
  heard: Heard,
): UnaryResponse<I, O> {
  return {
    stream: false,
    service: method.parent,
    method,
    message,
    get header() {
      return headersFrom(heard.initial);
    },
    get trailer() {
      return headersFrom(heard.trailing);
    },
  };
}

// Speaks against the workload: it could not be reached, or did not answer in time. What it answered, a refusal or a
// defect, shows that it is there; a caller in a hurry says nothing of it, nor does one address while another stands.
function judgeOf(client: Client, addresses: number): NonNullable<BreakerOptions["verdict"]> {
  const anotherStands = (): boolean =>
    addresses > 1 && client.getChannel().getConnectivityState(false) === connectivityState.READY;
  return (error) => {
    if (!(error instanceof Unanswered)) return error instanceof Fault ? "alive" : "failure";
    return error.impatient || (error.undelivered && anotherStands()) ? "nothing" : "failure";
  };
}

// Worth one repeat: nobody answered, and there is time left (the deadline of the call stays the same).
function isUndelivered(error: unknown): boolean {
  return error instanceof Unanswered && error.undelivered;
}

const policies = new WeakMap<DescMethod, MethodPolicy>();
const NO_POLICY: MethodPolicy = {
  callers: new Set(),
  onBehalf: new Set(),
  deadlineMs: undefined,
  retriedByHop: false,
};

// A foreign service, such as health, has no option of ours: it is called without a deadline of its own or a
// repeat.
function clientPolicy(method: DescMethod): MethodPolicy {
  const known = policies.get(method);
  if (known !== undefined) return known;
  const policy = method.parent.typeName.startsWith("orrery.") ? policyOf(method) : NO_POLICY;
  policies.set(method, policy);
  return policy;
}

function metadataFrom(header: HeadersInput | undefined): Metadata {
  const metadata = new Metadata();
  if (header === undefined) return metadata;
  const entries =
    header instanceof Headers ? header : Array.isArray(header) ? header : Object.entries(header);
  for (const [name, value] of entries) {
    if (name !== undefined && value !== undefined) metadata.set(name, String(value));
  }
  return metadata;
}

// Records how long a call took and how it ended, and hands its failure on as Connect writes it.
function durationRecorder(
  metrics: Metrics,
  clock: Clock,
): <T>(method: DescMethod, call: () => Promise<T>) => Promise<T> {
  const histogram = metrics.histogram(
    METRIC.RPC_CLIENT_SECONDS,
    "Duration of calls made, until the answer, or the opening of a stream.",
    ["rpc_service", "method", "code"],
  );
  // One child for each code of each RPC: looking the labels up at every call costs more than the observation.
  const children = new Map<string, ReturnType<typeof histogram.labels>>();
  const childOf = (method: DescMethod, code: string): ReturnType<typeof histogram.labels> => {
    const key = `${pathOf(method)} ${code}`;
    const child = children.get(key) ?? histogram.labels(method.parent.typeName, method.name, code);
    children.set(key, child);
    return child;
  };
  return async (method, call) => {
    const startedMs = clock.monotonicMs();
    let code = "OK";
    try {
      return await call();
    } catch (failure) {
      const rendered = renderFailure(failure);
      code = codeName(rendered.code);
      throw rendered;
    } finally {
      childOf(method, code).observe((clock.monotonicMs() - startedMs) / 1_000);
    }
  };
}
