import { type Code, CodeSchema } from "../../gen/google/rpc/code_pb.js";

/** The name of a gRPC code, such as `NOT_FOUND`. */
export function codeName(value: Code): string {
  return CodeSchema.value[value]?.name ?? "UNKNOWN";
}
