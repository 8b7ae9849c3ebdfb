import { createHash } from "node:crypto";
import { type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { Fault } from "../fault/fault.ts";
import type { Transaction } from "../postgres/pool.ts";

/** A request that carries an idempotency key, and what makes it the same as another. */
export interface KeyedRequest {
  readonly project: string;
  /** The RPC: a key means something within its project and route only. */
  readonly route: string;
  /** 1 to 255 visible ASCII characters. */
  readonly key: string;
  /** SHA-256 over everything that the request says but the key, in hex. */
  readonly fingerprint: string;
}

/** What a key stands for at this moment. */
export type KeyState =
  | { readonly kind: "new" }
  | { readonly kind: "in_flight" }
  | { readonly kind: "done"; readonly fingerprint: string; readonly response: Uint8Array };

/** Idempotency keys; they commit with what they stand for. */
export interface IdempotencyKeys {
  /** Takes the key for this transaction, or finds out who has it. Never waits for another transaction. */
  claim(tx: Transaction, request: KeyedRequest): Promise<KeyState>;
  /** Stores the answer of an accepted request, for 24 hours. */
  store(tx: Transaction, answer: KeyedRequest & { readonly response: Uint8Array }): Promise<void>;
}

const RETRY_AFTER_MS = 1_000;

/**
 * Reads the key of a request, and what makes it the same as another: all that it says but the key itself.
 *
 * @param path - where the request stands in its call, as in `items[3]`; empty for a request of its own
 * @returns undefined where it carries none
 * @throws Fault `INVALID_REQUEST` for what ProtoJSON cannot say, as a time of the year 20000 in binary
 */
export function keyedRequest<D extends DescMessage>(
  route: string,
  schema: D,
  request: MessageShape<D> & { readonly idempotencyKey?: string | undefined },
  project: string,
  path = "",
): KeyedRequest | undefined {
  const { idempotencyKey: key } = request;
  if (key === undefined || key === "") return undefined;
  const { idempotencyKey: _key, ...said } = jsonOf(schema, request, path) as { idempotencyKey?: string };
  return { project, route, key, fingerprint: fingerprint(said) };
}

/**
 * Turns what a key stands for into what to do.
 *
 * @returns the stored answer, or undefined where the request is to be carried out
 * @throws Fault `IDEMPOTENCY_IN_FLIGHT` (retry after 1 s) · `IDEMPOTENCY_KEY_REUSED` (never)
 */
export function storedAnswer(request: KeyedRequest, state: KeyState): Uint8Array | undefined {
  if (state.kind === "new") return undefined;
  if (state.kind === "in_flight") {
    const detail = `a request with ${named(request)} is still under way`;
    throw new Fault("IDEMPOTENCY_IN_FLIGHT", { detail, retryAfterMs: RETRY_AFTER_MS });
  }
  if (state.fingerprint === request.fingerprint) return state.response;
  throw keyReused(request);
}

/** The refusal of a key that stands for another request. */
export const keyReused = (request: KeyedRequest): Fault =>
  new Fault("IDEMPOTENCY_KEY_REUSED", { detail: `${named(request)} was used for another request` });

const named = ({ key }: KeyedRequest): string => `the idempotency key ${JSON.stringify(key)}`;

/** SHA-256 over JSON with its keys in order, in hex: the same for the same content, however it was written. */
const fingerprint = (json: JsonValue): string =>
  createHash("sha256")
    .update(JSON.stringify(ordered(json)))
    .digest("hex");

function ordered(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(ordered);
  if (json === null || typeof json !== "object") return json;
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  // Null prototype: a key such as __proto__ stays a key.
  const result: { [key: string]: JsonValue } = Object.create(null) as { [key: string]: JsonValue };
  for (const [key, value] of entries) result[key] = ordered(value);
  return result;
}

function jsonOf<D extends DescMessage>(schema: D, request: MessageShape<D>, path: string): unknown {
  try {
    return toJson(schema, request);
  } catch (cause) {
    const description = "holds a time, a duration or a value that ProtoJSON does not have";
    const fieldViolations = [{ field: path, description }];
    throw new Fault("INVALID_REQUEST", { detail: `the request ${description}`, fieldViolations }, { cause });
  }
}
