import type { EventEmitter } from "node:events";
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import { Metadata, type UntypedHandleCall } from "@grpc/grpc-js";
import { trace } from "@opentelemetry/api";
import { Fault } from "../fault/fault.ts";
import { LINKERD_CLIENT_HEADER, workloadFromDnsName } from "../identity/peer-identity.ts";
import type { Gate, Rpc } from "../policy/gate.ts";
import { type MethodPolicy, policiesOf } from "../policy/method-policy.ts";
import { ATTR, METRIC } from "../telemetry/attributes.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { childTraceparent, traceIdOf } from "../telemetry/trace.ts";
import { type Clock, uuidV7 } from "../time/clock.ts";
import { CONTEXT_HEADERS } from "./call.ts";
import type { GrpcCall, ServedRpc } from "./call-pipeline.ts";
import { statusFrom } from "./grpc-codec.ts";
import { OpenCall } from "./open-call.ts";
import { OpenCalls } from "./open-calls.ts";
import type { Route } from "./route.ts";
import type { CaughtService } from "./server-services.ts";

interface AdmissionOptions {
  readonly gate: Gate;
  readonly clock: Clock;
  readonly identitySource: "tls" | "linkerd";
  readonly trustDomain: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly messageBytes: number;
  workloadAt(peer: string): string | undefined;
}

/** Decides who comes in, and keeps the list of who is in. */
export interface Admission {
  /** One RPC of a route, ready for the pipeline. @throws Error when it has no policy */
  serve(method: DescMethod, route: Route): ServedRpc;
  /** A service of a package behind the same gate. */
  gated(caught: CaughtService, policy: MethodPolicy): CaughtService;
  readonly open: OpenCalls;
}

const CORRELATION_ID = /^[!-~]{1,128}$/;

/** What stands before every handler of one server. */
export function createAdmission(options: AdmissionOptions): Admission {
  const open = new OpenCalls();
  const record = durationRecorder(options.metrics, options.clock);
  const callerOf = identification(options);
  return {
    open,
    serve: (method, route) => {
      const policy = policiesFor(route.service).get(method.localName);
      const handler = route.handler(method.localName);
      const rpc: Rpc = { service: method.parent.typeName, method: method.name };
      if (policy === undefined || typeof handler !== "function") {
        throw new Error(`${rpc.service}/${rpc.method} is not served: it has no policy or no handler`);
      }
      return {
        method,
        handler: handler as ServedRpc["handler"],
        answerBytes: options.messageBytes,
        admit: (call) => {
          const caller = callerOf(call.getPeer(), call.metadata);
          const entered = enter(call, { ...options, method, rpc, policy, caller });
          open.add(entered);
          return entered;
        },
        done: (call, code, startedMs) => {
          record(rpc, code, startedMs);
          if (call === undefined) return;
          call.close();
          open.remove(call);
        },
        unexpected: (error, call) => logUnexpected(options.logger, rpc, error, call),
        nowMs: () => options.clock.monotonicMs(),
      };
    },
    gated: (caught, policy) => {
      const implementation = Object.entries(caught.implementation).map(([name, handler]) => {
        const rpc = rpcOf(caught, name);
        const check = (call: GrpcCall): void =>
          void options.gate.admit(rpc, policy, callerOf(call.getPeer(), call.metadata));
        return [name, guarded(handler as ForeignHandler, check)];
      });
      return { definition: caught.definition, implementation: Object.fromEntries(implementation) };
    },
  };
}

// Identity and policy first, then for whom, then until when; what is refused here never reaches the handler.
function enter(
  call: GrpcCall,
  facts: AdmissionOptions & {
    method: DescMethod;
    rpc: Rpc;
    policy: MethodPolicy;
    caller: string | undefined;
  },
): OpenCall {
  const { gate, clock, method, rpc, policy } = facts;
  const header = (name: string): string | undefined => call.metadata.get(name)[0]?.toString();
  const caller = gate.admit(rpc, policy, facts.caller);
  trace.getActiveSpan()?.setAttribute(ATTR.CALLER, caller);
  const onBehalf = gate.onBehalf(rpc, policy, caller, header);
  if (onBehalf !== undefined) trace.getActiveSpan()?.setAttribute(ATTR.PROJECT, onBehalf.project);
  const { deadlineMs, ownMs } = deadlineOf(call, policy, clock);
  const asked = header(CONTEXT_HEADERS.correlationId);
  const open = new OpenCall({
    method,
    caller,
    onBehalf,
    correlationId: asked !== undefined && CORRELATION_ID.test(asked) ? asked : uuidV7(clock),
    traceparent: childTraceparent(header(CONTEXT_HEADERS.traceparent)),
    deadlineMs,
    clock,
    header,
    sendMetadata: () => call.sendMetadata(new Metadata()),
  });
  const events: EventEmitter = call;
  events.on("cancelled", () => open.end(endOf(open, clock)));
  if (ownMs !== undefined) open.endAfter(ownMs, pastDeadline);
  return open;
}

function logUnexpected(logger: Logger, rpc: Rpc, error: unknown, call: OpenCall | undefined): void {
  logger.error("rpc failed", {
    rpc_service: rpc.service,
    rpc_method: rpc.method,
    caller: call?.caller,
    correlation_id: call?.correlationId,
    ...(call === undefined ? {} : { trace_id: traceIdOf(call.traceparent) }),
    error,
  });
}

// Who calls: by the certificate of the connection, or by what the mesh's proxy wrote, never by both. With our
// own TLS the header is what any caller can write.
function identification(options: AdmissionOptions): (peer: string, metadata: Metadata) => string | undefined {
  if (options.identitySource === "tls") return (peer) => options.workloadAt(peer);
  return (_peer, metadata) => {
    const name = metadata.get(LINKERD_CLIENT_HEADER)[0]?.toString();
    return name === undefined ? undefined : workloadFromDnsName(name, options.trustDomain);
  };
}

// The earlier of the caller's deadline and the contract's. grpc-js ends a call at the caller's by itself, so
// a timer of our own (`ownMs`) is needed only where the contract's comes first.
function deadlineOf(
  call: GrpcCall,
  policy: MethodPolicy,
  clock: Clock,
): { deadlineMs: number | undefined; ownMs: number | undefined } {
  const asked = call.getDeadline();
  const callersMs = (asked instanceof Date ? asked.getTime() : asked) - clock.nowMs();
  const contractsMs = policy.deadlineMs ?? Number.POSITIVE_INFINITY;
  const leftMs = Math.min(callersMs, contractsMs);
  if (leftMs <= 0) throw pastDeadline();
  return {
    deadlineMs: Number.isFinite(leftMs) ? clock.monotonicMs() + leftMs : undefined,
    ownMs: contractsMs < callersMs ? contractsMs : undefined,
  };
}

function pastDeadline(): Fault {
  return new Fault("DEADLINE_EXCEEDED", { detail: "the deadline of the call has passed" });
}

// One for all: grpc-js says of every call that it is over, of most of them after their answer.
const CALLER_GONE = new Fault("CANCELLED", { detail: "the caller went away" });

function endOf(open: OpenCall, clock: Clock): Fault {
  if (open.deadlineMs !== undefined && clock.monotonicMs() >= open.deadlineMs) return pastDeadline();
  return CALLER_GONE;
}

function durationRecorder(
  metrics: Metrics,
  clock: Clock,
): (rpc: Rpc, code: string, startedMs: number) => void {
  const histogram = metrics.histogram(
    METRIC.RPC_SERVER_SECONDS,
    "Duration of calls served, refused ones included.",
    ["rpc_service", "method", "code"],
  );
  // One child for each code of each RPC: looking the labels up at every call costs more than the observation.
  const children = new Map<string, ReturnType<typeof histogram.labels>>();
  return (rpc, code, startedMs) => {
    const key = `${rpc.service}/${rpc.method} ${code}`;
    const child = children.get(key) ?? histogram.labels(rpc.service, rpc.method, code);
    children.set(key, child);
    child.observe((clock.monotonicMs() - startedMs) / 1_000);
  };
}

const policies = new WeakMap<DescService, ReadonlyMap<string, MethodPolicy>>();

function policiesFor(service: DescService): ReadonlyMap<string, MethodPolicy> {
  const known = policies.get(service) ?? policiesOf(service);
  policies.set(service, known);
  return known;
}

type ForeignHandler = (call: GrpcCall, callback?: (error: unknown) => void) => void;

function guarded(handler: ForeignHandler, check: (call: GrpcCall) => void): UntypedHandleCall {
  const guardedHandler: ForeignHandler = (call, callback) => {
    try {
      check(call);
    } catch (refusal) {
      if (callback === undefined) call.emit("error", statusFrom(refusal));
      else callback(statusFrom(refusal));
      return;
    }
    handler(call, callback);
  };
  return guardedHandler as UntypedHandleCall;
}

// The RPC that a handler of a package serves: its name may differ from the RPC's in the first letter's case.
function rpcOf({ definition }: CaughtService, name: string): Rpc {
  const found = Object.values(definition).find(
    ({ path }) => path.split("/")[2]?.toLowerCase() === name.toLowerCase(),
  );
  const [, service = "_unknown", method = name] = found?.path.split("/") ?? [];
  return { service, method };
}
