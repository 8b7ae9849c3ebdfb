import { create, type DescMethod, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { type Code, ConnectError } from "@connectrpc/connect";
import { Metadata, type MethodDefinition, type StatusObject } from "@grpc/grpc-js";
import { StatusSchema } from "@orrery/contracts/gen/google/rpc/status_pb.js";
import { toConnectError } from "../fault/wire.ts";

/**
 * The metadata that carries a google.rpc.Status with its details; grpc-js neither writes nor reads it by
 * itself.
 */
const DETAILS = "grpc-status-details-bin";

const TYPE_URL = "type.googleapis.com/";

/** The path of an RPC on the wire: `/package.Service/Method`. */
export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Bytes as a Buffer over the same memory. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** How grpc-js is told to carry bytes as they are: messages are written and read here, not there. */
export const sameBytes = (bytes: Buffer): Buffer => bytes;

/**
 * How grpc-js has to serve an RPC. Bytes pass as they are: the pipeline decodes them after policy has let the
 * caller in, so that nothing of a refused caller is ever parsed.
 */
export function methodDefinition(method: DescMethod): MethodDefinition<Buffer, Uint8Array> {
  const bytes = { serialize: asBuffer, deserialize: sameBytes };
  return {
    path: pathOf(method),
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: bytes.serialize,
    requestDeserialize: bytes.deserialize,
    responseSerialize: bytes.serialize,
    responseDeserialize: bytes.deserialize,
  };
}

/** Writes a failure as the status that grpc-js sends, with its details in `grpc-status-details-bin`. */
export function statusFrom(error: unknown): StatusObject {
  const failure = toConnectError(error);
  const details = failure.details.map((detail) =>
    "desc" in detail
      ? anyPack(detail.desc, create(detail.desc, detail.value))
      : { typeUrl: `${TYPE_URL}${detail.type}`, value: detail.value },
  );
  const metadata = new Metadata();
  if (details.length > 0) {
    const status = create(StatusSchema, { code: failure.code, message: failure.rawMessage, details });
    metadata.set(DETAILS, asBuffer(toBinary(StatusSchema, status)));
  }
  return { code: failure.code as number, details: failure.rawMessage, metadata };
}

/** Reads the status of a failed call back, details included. */
export function errorFrom(status: Pick<StatusObject, "code" | "details" | "metadata">): ConnectError {
  const failure = new ConnectError(status.details, status.code as number as Code);
  const [packed] = status.metadata.get(DETAILS);
  if (packed instanceof Buffer) {
    // A peer that sends details which cannot be read has still sent a code and a text.
    const read = readStatus(packed);
    failure.details = (read?.details ?? []).map(({ typeUrl, value }) => ({
      type: typeUrl.slice(typeUrl.lastIndexOf("/") + 1),
      value,
    }));
  }
  failure.isWireError = true;
  return failure;
}

function readStatus(bytes: Uint8Array): ReturnType<typeof fromBinary<typeof StatusSchema>> | undefined {
  try {
    return fromBinary(StatusSchema, bytes);
  } catch {
    return undefined;
  }
}
