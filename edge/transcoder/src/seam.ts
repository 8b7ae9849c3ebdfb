import type { DescMethod, DescService, Message, Registry } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { TranscoderLimits } from "./limits.ts";

/** What a call is told besides its messages. */
export interface CallContext {
  /** The request's headers, without those that describe the HTTP connection or the encoding of the body. */
  readonly headers: Headers;
  /** Aborted when the client goes away, or when the reader of a stream stops reading. */
  readonly signal: AbortSignal;
  /** Adds response headers. Counts only before the first message. */
  onHeader(headers: Headers): void;
  /**
   * Adds the trailers of a unary call, as response headers with the prefix `trailer-`. A stream's are
   * dropped.
   */
  onTrailer(headers: Headers): void;
}

/**
 * Performs one RPC: one element each way where that side is not a stream.
 *
 * @throws ConnectError, with details outgoing (`{desc, value}`) or incoming (`{type, value}`). Anything else
 * that is thrown becomes INTERNAL, and its text does not reach the client.
 */
export type Call = (
  method: DescMethod,
  requests: AsyncIterable<Message>,
  context: CallContext,
) => AsyncIterable<Message>;

/**
 * Performs one RPC that has one message each way: what `Call` does, without the cost of two streams.
 *
 * @throws ConnectError, as `Call` does
 */
export type UnaryCall = (method: DescMethod, request: Message, context: CallContext) => Promise<Message>;

/** How to create a transcoder. */
export interface TranscoderOptions {
  /**
   * Holds `google/api/annotations.proto`, and every message type that may occur inside a
   * `google.protobuf.Any`.
   */
  readonly registry: Registry;
  /**
   * Only these are checked and served. Default: every service of the registry; an RPC without a rule is not
   * served.
   */
  readonly services?: readonly DescService[];
  readonly call: Call;
  /** Performs the RPCs that have one message each way. Default: `call` does. */
  readonly unary?: UnaryCall;
  /**
   * Makes the error body, sent as `application/problem+json`; its `status` becomes the HTTP status, except
   * for errors that only HTTP knows (405, 413, 414, 415, 431), which keep theirs. Default: RFC 9457 from the
   * error alone.
   */
  readonly problem?: (error: ConnectError) => { status: number } & object;
  /** Changes status and headers of a success, from the message (of a stream: its first). Default: 200. */
  readonly success?: (method: DescMethod, message: Message) => SuccessHead;
  /** Gives a message of an event stream its `id` and `event`. Default: neither. */
  readonly sse?: (method: DescMethod, message: Message) => { id?: string; event?: string };
  /** Query parameters that are not fields and pass unread. Any other unknown one is 400. Default: none. */
  readonly allowedQueryParameters?: readonly string[];
  readonly limits?: Partial<TranscoderLimits>;
  /** Bytes that the body of this RPC may have instead of `limits.bodyBytes`. */
  readonly bodyLimitBytes?: (method: DescMethod) => number | undefined;
}

export interface SuccessHead {
  status?: number;
  headers?: Record<string, string>;
}

export interface TranscoderRequest {
  readonly method: string;
  /** The raw request target, byte for byte as it came. */
  readonly target: string;
  /** Lower-case names. */
  readonly headers: Record<string, string | readonly string[] | undefined>;
  readonly body: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal;
}

export interface TranscoderResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Record<string, string | string[]>;
  readonly body: AsyncIterable<Uint8Array>;
  /** The body once more, where it is text and known as a whole: to be written together with the head. */
  readonly text?: string;
}

/** One way to reach one RPC. */
export interface TranscoderRoute {
  readonly method: DescMethod;
  /** `*` where the rule leaves the method open. */
  readonly httpMethod: string;
  readonly template: string;
  /** `*`, the name of a field, or empty. */
  readonly body: string;
  /** The name of a field of the response, or empty. */
  readonly responseBody: string;
}

export interface Transcoder {
  readonly routes: readonly TranscoderRoute[];
  /** Answers one HTTP request. Never rejects; every failure is an error response. */
  handle(request: TranscoderRequest): Promise<TranscoderResponse>;
}
