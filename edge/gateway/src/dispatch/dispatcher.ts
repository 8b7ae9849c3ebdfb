import { create, type DescMethod, type Message } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import {
  type BatchSubmitJobsRequest,
  type BatchSubmitJobsResponse,
  JobsService,
  type SubmitJobRequest,
  type SubmitJobStreamRequest,
  type SubmitJobStreamResponse,
  SubmitJobStreamResponseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { type LeaseJobsRequest, WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { unorderedMap } from "@orrery/mesh/batching/unordered-map";
import { Fault } from "@orrery/mesh/fault/fault";
import { faultFrom, problemFrom } from "@orrery/mesh/fault/wire";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import { inTime } from "@orrery/mesh/time/in-time";
import { callHeaders } from "@orrery/mesh/transport/call";
import { requireScope } from "../auth/authenticate.ts";
import { SECURITY_EVENT } from "../auth/security-events.ts";
import { LIMITS } from "../http/limits.ts";
import { clientGone, type EdgeCall, outOfTime } from "./edge-call.ts";
import { type EdgeMethod, nameOf } from "./edge-methods.ts";
import { fillFromHeaders } from "./header-fields.ts";
import { HeldCalls } from "./held-calls.ts";
import { isStreaming, isUnary } from "./method-kinds.ts";
import { completeProblem } from "./outcome-problem.ts";
import type { SubmitCoalescer } from "./submit-coalescer.ts";
import type { UnsentBytes } from "./unsent-bytes.ts";
import { notServed, type Upstreams, upstreamOf } from "./upstreams.ts";

/**
 * Performs calls from outside, the same for REST, Connect, gRPC-Web and gRPC: checks the scope, fills fields
 * from headers, coalesces submissions, and passes everything else on for the caller.
 *
 * Nothing of a caller's headers goes inside by itself: what the services hear about project, principal and
 * scopes is made here from the key, so that a forged `l5d-*`, `orrery-*` or `x-user-*` header never gets past
 * this point.
 */
export interface Dispatcher {
  /** @throws Fault */
  unary(method: DescMethod, request: Message, call: EdgeCall): Promise<Message>;
  /** Calls with a stream on either side. @throws Fault, at the first read or later */
  stream(method: DescMethod, requests: AsyncIterable<Message>, call: EdgeCall): AsyncIterable<Message>;
  /** Whether an RPC only reads: nothing was carried out for its answer, which may still be refused. */
  reads(method: DescMethod): boolean;
}

export interface DispatcherOptions {
  readonly methods: ReadonlyMap<DescMethod, EdgeMethod>;
  readonly upstreams: Upstreams;
  readonly submissions: SubmitCoalescer;
  /** The address that problem documents point to. */
  readonly publicUrl: string;
  readonly logger: Logger;
  /** Whether the services answered when they were last asked. */
  readonly ready: () => boolean;
  readonly unsent: UnsentBytes;
}

/** A call whose caller may make it. */
interface Admitted {
  readonly edge: EdgeMethod;
  readonly call: EdgeCall;
}

/** A dispatcher for the RPCs that the protos expose. */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const held = new HeldCalls();
  const admit = (method: DescMethod, call: EdgeCall): Admitted => {
    const edge = options.methods.get(method);
    if (edge === undefined) throw notServed(method);
    const { id: principal, project, scopes } = call.caller;
    if (!scopes.includes(edge.scope)) {
      const { scope } = edge;
      options.logger.security(SECURITY_EVENT.SCOPE_REFUSED, {
        principal,
        project,
        scope,
        rpc: nameOf(method),
      });
    }
    if (call.timeoutMs !== undefined && call.timeoutMs <= 0) throw outOfTime();
    requireScope(call.caller, edge.scope);
    requireRoom(options.unsent, edge, call);
    return { edge, call };
  };
  return {
    unary: async (method, request, call) => {
      try {
        const admitted = admit(method, call);
        fillFromHeaders(admitted.edge, request, call.header);
        using _place = waits(admitted.edge, request) ? held.hold(call.caller) : undefined;
        return await answerUnary(options, admitted, request);
      } catch (error) {
        throw noted(options.logger, error, call);
      }
    },
    stream: async function* (method, requests, call) {
      try {
        const admitted = admit(method, call);
        using _place = held.hold(call.caller);
        yield* answerStream(options, admitted, requests);
      } catch (error) {
        throw noted(options.logger, error, call);
      }
    },
    reads: (method) => options.methods.get(method)?.scope === "read",
  };
}

/** What is written and answers large all the same: a batch with its inputs, leases with those of their jobs. */
const LARGE: ReadonlySet<DescMethod> = new Set([
  JobsService.method.batchSubmitJobs,
  WorkService.method.leaseJobs,
]);

/** Refuses beforehand what may answer large; what workers say is never kept out by what others do not read. */
function requireRoom(unsent: UnsentBytes, { method, scope }: EdgeMethod, { caller }: EdgeCall): void {
  if (scope === "read" || LARGE.has(method)) unsent.requireRoom(caller);
  else if (scope === "submit") unsent.requireRoomToSubmit(caller);
}

/** Whether a call may stay open until there is something to answer. */
const waits = ({ method }: EdgeMethod, request: Message): boolean =>
  method === WorkService.method.leaseJobs && (request as LeaseJobsRequest).waitSeconds > 0;

async function answerUnary(
  options: DispatcherOptions,
  admitted: Admitted,
  request: Message,
): Promise<Message> {
  const { edge, call } = admitted;
  if (edge.method === JobsService.method.submitJob) {
    return options.submissions.submit(request as SubmitJobRequest, call);
  }
  const answer = await passUnary(options, admitted, request);
  if (edge.method === JobsService.method.batchSubmitJobs) {
    completeOutcomes(options, { request: request as BatchSubmitJobsRequest, call }, answer);
  }
  return answer;
}

function answerStream(
  options: DispatcherOptions,
  admitted: Admitted,
  requests: AsyncIterable<Message>,
): AsyncIterable<Message> {
  const { edge, call } = admitted;
  if (edge.method !== JobsService.method.submitJobStream) {
    return passStream(options, admitted, withHeaderFields(admitted, requests));
  }
  call.onAdmitted?.();
  return submitStream(options, requests as AsyncIterable<SubmitJobStreamRequest>, call);
}

/** The fault of a failed call. What nobody foresaw is logged here, once, whatever protocol it came by. */
function noted(logger: Logger, error: unknown, call: EdgeCall): Fault {
  const { aborted, reason } = call.signal;
  if (aborted) return faultFrom(reason).reason === "DEADLINE_EXCEEDED" ? outOfTime() : clientGone();
  if (!(error instanceof Fault || error instanceof ConnectError)) {
    logger.error("a call failed at the edge", { error, trace_id: call.traceId });
  }
  return faultFrom(error);
}

async function passUnary(
  { upstreams }: DispatcherOptions,
  { edge, call }: Admitted,
  request: Message,
): Promise<Message> {
  const { method } = edge;
  if (!isUnary(method)) throw notServed(method);
  const transport = upstreamOf(upstreams, edge);
  // With the time of the contract, not the caller's own: `signal` ends the call when that is over. Silence that an
  // impatient caller hears is no sign of a dead service, and must not count as one for all others.
  return (await transport.unary(method, call.signal, edge.deadlineMs, headersFor(call), request)).message;
}

async function* passStream(
  { upstreams, ready }: DispatcherOptions,
  { edge, call }: Admitted,
  requests: AsyncIterable<Message>,
): AsyncIterable<Message> {
  const { method } = edge;
  if (!isStreaming(method)) throw notServed(method);
  const transport = upstreamOf(upstreams, edge);
  const givenUp = new AbortController();
  const signal = AbortSignal.any([call.signal, givenUp.signal]);
  const opening = transport.stream(method, signal, edge.deadlineMs, headersFor(call), requests);
  const answer = await admittedInTime(opening, { ready, giveUp: () => givenUp.abort() });
  // Without a header nothing was heard of the service yet: it may still refuse.
  if (!answer.header.keys().next().done) call.onAdmitted?.();
  yield* answer.message;
}

/**
 * Waits for the admission of a stream. A service may take its time to say so; one that takes it while it
 * does not answer anything else either is away, and its caller is told within the deadline of other calls.
 */
async function admittedInTime<T>(
  opening: Promise<T>,
  { ready, giveUp }: { ready: () => boolean; giveUp: () => void },
): Promise<T> {
  const first = await inTime(opening, LIMITS.admissionMs);
  if (first !== undefined) return first.answer;
  if (ready()) return opening;
  giveUp();
  throw new Fault("DEPENDENCY_UNAVAILABLE", {
    detail: "The service that this needs does not answer.",
    retryAfterMs: 1_000,
  });
}

async function* withHeaderFields(
  { edge, call }: Admitted,
  requests: AsyncIterable<Message>,
): AsyncIterable<Message> {
  for await (const request of requests) {
    fillFromHeaders(edge, request, call.header);
    yield request;
  }
}

/**
 * Each job of the stream joins the batches of all other callers; its answer names the index that it came
 * with.
 */
function submitStream(
  options: DispatcherOptions,
  requests: AsyncIterable<SubmitJobStreamRequest>,
  call: EdgeCall,
): AsyncIterable<SubmitJobStreamResponse> {
  // A stream may live for hours: the deadline of the stream is not that of a job in it.
  const each = { ...call, timeoutMs: undefined, bodyBytes: undefined };
  return unorderedMap(requests, LIMITS.streamSubmissions, async ({ index, job }) => {
    try {
      call.spend?.();
      options.unsent.requireRoomToSubmit(call.caller);
      if (job === undefined) throw new Fault("INVALID_REQUEST", { detail: "The message holds no job." });
      const { job: accepted, replayed } = await options.submissions.submit(job, each);
      if (accepted === undefined) throw new Fault("INTERNAL", { detail: "The answer holds no job." });
      const result = { case: "job" as const, value: accepted };
      return create(SubmitJobStreamResponseSchema, { index, outcome: { result, replayed } });
    } catch (error) {
      const problem = problemFrom(faultFrom(error), {
        edge: options.publicUrl,
        instance: call.instance,
        traceId: call.traceId,
      });
      return create(SubmitJobStreamResponseSchema, {
        index,
        outcome: { result: { case: "error", value: problem } },
      });
    }
  });
}

/**
 * Completes the outcomes of many submissions: each job with the input that came in here, as it does not travel back,
 * each problem with its place.
 */
function completeOutcomes(
  { publicUrl }: DispatcherOptions,
  { request, call }: { request: BatchSubmitJobsRequest; call: EdgeCall },
  answer: Message,
): void {
  (answer as BatchSubmitJobsResponse).outcomes.forEach(({ result }, index) => {
    if (result.case === "error") completeProblem(result.value, publicUrl, call);
    const input = request.jobs[index]?.input;
    if (result.case === "job" && input !== undefined) result.value.input = input;
  });
}

function headersFor({ caller, correlationId, traceparent }: EdgeCall): Record<string, string> {
  const onBehalf = { project: caller.project, principal: caller.id, scopes: caller.scopes };
  return callHeaders({ onBehalf, correlationId, traceparent });
}
