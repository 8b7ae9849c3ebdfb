import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Call } from "./call.ts";

export { type Call, type Caller, callerOf, callHeaders, type OnBehalf, requireOnBehalf } from "./call.ts";

/** The function that serves one RPC; its shape follows from the RPC's two kinds of streaming. */
export type Handler<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, call: Call) => Promise<MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, call: Call) => AsyncIterable<MessageInitShape<O>>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? (requests: AsyncIterable<MessageShape<I>>, call: Call) => Promise<MessageInitShape<O>>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? (requests: AsyncIterable<MessageShape<I>>, call: Call) => AsyncIterable<MessageInitShape<O>>
          : never;

/** One function for every RPC of a service. A streaming function obeys `call.signal`. */
export type Implementation<S extends DescService> = {
  [K in keyof S["method"]]: Handler<S["method"][K]>;
};

/** A service and what serves it, ready for `listenGrpc`. */
export interface Route {
  readonly service: DescService;
  /** The function of one RPC, by the RPC's local name. Its types were checked by `serve`. */
  handler(localName: string): unknown;
}

/** Pairs a service with its implementation; the types make sure that no RPC is left out. */
export function serve<S extends DescService>(service: S, implementation: Implementation<S>): Route {
  return {
    service,
    handler: (localName) => implementation[localName as keyof S["method"]],
  };
}
