import { buffer } from "node:stream/consumers";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  createAsyncIterable,
  encodeEnvelope,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  createEndStreamSerialization,
  endStreamFlag,
  endStreamFromJson,
  errorFromJsonBytes,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import {
  setTrailerStatus,
  trailerFlag,
  trailerParse,
  trailerSerialize,
} from "@connectrpc/connect/protocol-grpc-web";
import { Fault } from "@orrery/mesh/fault/fault";
import { toConnectError } from "@orrery/mesh/fault/wire";
import { FIRST_ERROR } from "../http/answer.ts";
import type { Exchange } from "../http/exchange.ts";
import { messageLimitBytes } from "../http/limits.ts";
import { faultOf } from "../http/problem.ts";
import { notTheMessage } from "./edge-handlers.ts";

/**
 * Gives a refusal that connect-es made by itself the form of all others: it has no reason, and blames us for bytes that
 * it cannot decode. It is told from one of ours by the exchange, which holds the fault of each of ours.
 */
export async function reasoned(
  answered: UniversalServerResponse,
  method: DescMethod,
  exchange: Exchange,
): Promise<UniversalServerResponse> {
  const { body, header, status } = answered;
  if (exchange.fault !== undefined || body === undefined) return answered;
  if (FRAMES.test(header?.get("content-type") ?? ""))
    return { ...answered, body: reasonedFrames(body, method, exchange) };
  if (status < FIRST_ERROR || header?.has("content-encoding")) return answered;
  const unreadable = new ConnectError("", Code.Internal);
  const refusal = refusalOf(errorFromJsonBytes(await buffer(body), undefined, unreadable), method, exchange);
  const bytes = errorToJsonBytes(refusal, undefined);
  header?.set("content-length", String(bytes.byteLength));
  return { ...answered, status: codeToHttpStatus(refusal.code), body: createAsyncIterable([bytes]) };
}

/** The types of answers that come in frames, the last of which says how the call ended. */
const FRAMES = /^application\/(?:grpc-web|connect\+)/;
const ENVELOPE_HEAD_BYTES = 5;

async function* reasonedFrames(
  frames: AsyncIterable<Uint8Array>,
  method: DescMethod,
  exchange: Exchange,
): AsyncGenerator<Uint8Array, void> {
  for await (const frame of frames) {
    const error = exchange.fault === undefined ? errorIn(frame) : undefined;
    yield error === undefined ? frame : lastFrame(frame[0], refusalOf(error, method, exchange));
  }
}

function errorIn(frame: Uint8Array): ConnectError | undefined {
  if (frame[0] === trailerFlag) return findTrailerError(trailerParse(dataOf(frame)));
  return frame[0] === endStreamFlag ? endStreamFromJson(dataOf(frame)).error : undefined;
}

const dataOf = (frame: Uint8Array): Uint8Array => frame.subarray(ENVELOPE_HEAD_BYTES);

function lastFrame(flag: number | undefined, error: ConnectError): Uint8Array {
  const metadata = new Headers();
  if (flag === endStreamFlag)
    return encodeEnvelope(flag, createEndStreamSerialization(undefined).serialize({ metadata, error }));
  setTrailerStatus(metadata, error);
  return encodeEnvelope(trailerFlag, trailerSerialize(metadata));
}

function refusalOf(error: ConnectError, method: DescMethod, exchange: Exchange): ConnectError {
  exchange.fault = faultBehind(error, method);
  return toConnectError(exchange.fault);
}

function faultBehind(error: ConnectError, method: DescMethod): Fault {
  if (error.rawMessage.startsWith("parse binary: ")) return notTheMessage(method);
  if (error.rawMessage === "decompression failed")
    return new Fault("INVALID_REQUEST", { detail: "The bytes are not compressed as the headers say." });
  if (error.code !== Code.ResourceExhausted) return faultOf(error);
  return new Fault("BODY_TOO_LARGE", {
    detail: `A message may have at most ${messageLimitBytes(method)} bytes here.`,
  });
}
