import { createHash } from "node:crypto";
import { Fault } from "@orrery/mesh/fault/fault";
import type { Position } from "../domain/list-order.ts";

/** Where a list goes on, and what its relative times count from, so that every page means the same query. */
export interface ListPlace {
  readonly after: Position;
  readonly nowMs: number;
}

/**
 * Page tokens hold at every gateway, at every replica and across restarts: they carry the place itself. They
 * are not secret and not signed, because a place opens nothing: what is read is decided by the caller's
 * project and query. The fingerprint of both is in the token, so that it cannot be used by mistake with
 * another query.
 */
export function writePageToken(place: ListPlace, belongsTo: readonly string[]): string {
  const { value, id } = place.after;
  const fields = [fingerprint(belongsTo), place.nowMs, value ?? null, id];
  return Buffer.from(JSON.stringify(fields)).toString("base64url");
}

/** @throws Fault `INVALID_PAGE_TOKEN` for a token that was changed, or that belongs to another query */
export function readPageToken(token: string, belongsTo: readonly string[]): ListPlace {
  const fields = fieldsOf(token);
  if (fields === undefined || fields.length !== 4) throw refused("The page token is not one of ours.");
  const [mark, nowMs, value, id] = fields;
  if (mark !== fingerprint(belongsTo)) {
    throw refused("The page token belongs to another query, order or project.");
  }
  if (!isTime(nowMs) || (value !== null && !Number.isSafeInteger(value)) || typeof id !== "string") {
    throw refused("The page token is not one of ours.");
  }
  return { nowMs, after: { value: typeof value === "number" ? value : undefined, id } };
}

/** A token for a list that goes on after a number, such as the version of an event. */
export function writeNumberToken(after: number, belongsTo: readonly string[]): string {
  return Buffer.from(JSON.stringify([fingerprint(belongsTo), after])).toString("base64url");
}

/** @throws Fault `INVALID_PAGE_TOKEN` */
export function readNumberToken(token: string, belongsTo: readonly string[]): number {
  const [mark, after] = fieldsOf(token) ?? [];
  if (mark === fingerprint(belongsTo) && Number.isSafeInteger(after)) return Number(after);
  throw refused("The page token is not one of ours, or belongs to another list.");
}

function fieldsOf(token: string): readonly unknown[] | undefined {
  try {
    const fields: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    return Array.isArray(fields) ? fields : undefined;
  } catch {
    // Not JSON: not a token of ours, which the caller says.
    return undefined;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value);
}

function fingerprint(of: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(of)).digest("base64url").slice(0, 22);
}

function refused(detail: string): Fault {
  return new Fault("INVALID_PAGE_TOKEN", {
    detail,
    fieldViolations: [{ field: "pageToken", description: detail }],
  });
}
