import type { DescField, Message } from "@bufbuild/protobuf";
import type { HeaderReader } from "../auth/authenticate.ts";
import type { EdgeMethod } from "./edge-methods.ts";
import { agreeOnKey, parseIdempotencyKey } from "./idempotency-key.ts";

/**
 * Puts `Idempotency-Key`, `Last-Event-ID` and `Orrery-Consistency-Token` into the request fields of the same
 * meaning. A method without the field ignores the header, and so do all of `/v1/work:*` and every read.
 *
 * @throws Fault INVALID_REQUEST for an idempotency key that is malformed, or another than the body's
 */
export function fillFromHeaders(edge: EdgeMethod, request: Message, header: HeaderReader): void {
  const { idempotencyKey, lastEventId, consistencyToken } = edge.headerFields;
  // Of a message's fields those of the descriptor alone are touched, each a string.
  const fields = request as Message & Record<string, unknown>;
  if (idempotencyKey !== undefined) {
    const key = header("idempotency-key");
    if (key !== undefined) {
      fields[idempotencyKey.localName] = agreeOnKey(
        parseIdempotencyKey(key),
        fields[idempotencyKey.localName],
      );
    }
  }
  fillIfEmpty(fields, lastEventId, header("last-event-id"));
  fillIfEmpty(fields, consistencyToken, header("orrery-consistency-token"));
}

function fillIfEmpty(
  fields: Record<string, unknown>,
  field: DescField | undefined,
  value: string | undefined,
): void {
  if (field === undefined || value === undefined || fields[field.localName]) return;
  fields[field.localName] = value;
}
