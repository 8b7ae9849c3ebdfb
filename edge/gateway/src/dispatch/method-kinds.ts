import type {
  DescMessage,
  DescMethod,
  DescMethodServerStreaming,
  DescMethodStreaming,
  DescMethodUnary,
} from "@bufbuild/protobuf";

/** One message each way. */
export function isUnary(method: DescMethod): method is DescMethodUnary<DescMessage, DescMessage> {
  return method.methodKind === "unary";
}

/** A stream on either side, or both. */
export function isStreaming(method: DescMethod): method is DescMethodStreaming<DescMessage, DescMessage> {
  return method.methodKind !== "unary";
}

/** One message in, a stream out. */
export function isServerStreaming(
  method: DescMethod,
): method is DescMethodServerStreaming<DescMessage, DescMessage> {
  return method.methodKind === "server_streaming";
}
