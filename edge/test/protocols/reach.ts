import { type DescMethod, fromJson, getOption, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { ErrorInfoSchema } from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import {
  MethodRules_Exposure,
  method as methodRules,
} from "@orrery/contracts/gen/orrery/options/v1/options_pb.js";
import { encodeRequest } from "@orrery/transcoder";

export type RpcProtocol = "gRPC" | "Connect" | "gRPC-Web";
export type Protocol = RpcProtocol | "REST";
export const PROTOCOLS: readonly Protocol[] = ["gRPC", "Connect", "gRPC-Web", "REST"];

/** Where a platform can be reached from outside, and the key of every call. */
export interface Outside {
  readonly edge: string;
  readonly edgeGrpc: string;
  readonly caPem: string;
  readonly key: string;
}

/**
 * What a call came to: the RPC answered, were it with a refusal; there is no such RPC; or neither, in the words of what
 * came instead.
 */
export type Reached = "answered" | "absent" | `failed: ${string}`;

/** A well-formed id of nothing, where a path needs one. */
const NOTHING = "0199d2f4-7c1e-7a40-8f3b-000000000000";
const PATIENCE_MS = 20_000;
/** A connection that breaks off, or a service that is too busy, says nothing of the RPC: it is asked again. */
const TRIES = 5;
/** Refusals of which the RPC knows nothing. */
const NOT_ITS_OWN: ReadonlySet<string> = new Set([
  ...["UNAUTHENTICATED", "SCOPE_MISSING", "PROJECT_FORBIDDEN", "RATE_LIMITED"],
  ...["DEPENDENCY_UNAVAILABLE", "DEADLINE_EXCEEDED", "REQUEST_TIMEOUT", "OVERLOADED", "INTERNAL"],
]);

export function isExposed(method: DescMethod): boolean {
  return getOption(method, methodRules).exposure === MethodRules_Exposure.EDGE;
}

/** Whether a protocol carries calls of this kind: what is not gRPC has one message on the client's side. */
export function carries(protocol: Protocol, { methodKind }: DescMethod): boolean {
  return protocol === "gRPC" || methodKind === "unary" || methodKind === "server_streaming";
}

/** Calls RPCs from outside over one protocol. A stream counts as answered with its first message. */
export function caller(protocol: Protocol, outside: Outside): (method: DescMethod) => Promise<Reached> {
  const transport = protocol === "REST" ? undefined : transportOf(protocol, outside);
  return async (method) => {
    let reached: Reached = "absent";
    for (let tried = 0; tried < TRIES; tried += 1) {
      reached = await (transport ? byRpc(transport, method, outside.key) : byRest(method, outside));
      if (!reached.startsWith("failed")) return reached;
    }
    return reached;
  };
}

/** A request that is well formed where its path needs it, and about nothing that there is. */
function aimless(method: DescMethod): Message {
  const named = Object.fromEntries(
    method.input.fields
      .filter(({ name }) => name === "id" || name === "queue")
      .map(({ jsonName, message }) => [jsonName, message === undefined ? NOTHING : { name: NOTHING }]),
  );
  return fromJson(method.input, named);
}

async function byRest(method: DescMethod, { edge, key }: Outside): Promise<Reached> {
  let sent: ReturnType<typeof encodeRequest>;
  try {
    sent = encodeRequest(method, aimless(method));
  } catch {
    return "absent";
  }
  const accept = "application/x-ndjson, application/problem+json";
  const leaving = new AbortController();
  const response = await fetch(`${edge}${sent.target}`, {
    method: sent.method,
    headers: { ...sent.headers, accept, authorization: `Bearer ${key}` },
    signal: AbortSignal.any([leaving.signal, AbortSignal.timeout(PATIENCE_MS)]),
    ...(sent.body && { body: Buffer.from(sent.body) }),
  });
  if (!response.ok) {
    const { reason } = (await response.json()) as { reason?: string };
    return verdict(undefined, reason, String(response.status));
  }
  await response.body?.getReader().read();
  leaving.abort();
  return "answered";
}

async function byRpc(transport: Transport, method: DescMethod, key: string): Promise<Reached> {
  const leaving = new AbortController();
  const signal = AbortSignal.any([leaving.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const headers = { authorization: `Bearer ${key}` };
  const request = aimless(method) as never;
  const requests = (async function* once() {
    yield request;
  })();
  try {
    if (method.methodKind === "unary") {
      await transport.unary(method as never, signal, undefined, headers, request);
      return "answered";
    }
    const { message } = await transport.stream(method as never, signal, undefined, headers, requests);
    for await (const _ of message) break;
    return "answered";
  } catch (error) {
    const failure = ConnectError.from(error);
    return verdict(failure.code, failure.findDetails(ErrorInfoSchema)[0]?.reason, failure.message);
  } finally {
    leaving.abort();
  }
}

/** A refusal for a reason of ours is the RPC's own, but for those that are the edge's. */
function verdict(code: Code | undefined, reason: string | undefined, said: string): Reached {
  if (code === Code.Unimplemented || reason === "ROUTE_NOT_FOUND" || reason === "UNIMPLEMENTED")
    return "absent";
  return reason === undefined || NOT_ITS_OWN.has(reason) ? `failed: ${said}` : "answered";
}

function transportOf(protocol: RpcProtocol, { edge, edgeGrpc, caPem }: Outside): Transport {
  if (protocol === "gRPC")
    return createGrpcTransport({ baseUrl: `https://${edgeGrpc}`, nodeOptions: { ca: caPem } });
  const create = protocol === "Connect" ? createConnectTransport : createGrpcWebTransport;
  return create({ baseUrl: edge, httpVersion: "1.1" });
}
