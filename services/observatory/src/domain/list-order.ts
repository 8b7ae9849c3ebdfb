import type { NumberField, SearchKeys } from "./search-keys.ts";

/**
 * How a list is ordered.
 *
 * O1: what lacks the field comes last in both directions. O2: ties are broken by id, in the same direction.
 */
export interface ListOrder {
  readonly field: Extract<NumberField, "created" | "priority" | "started" | "finished">;
  readonly direction: "asc" | "desc";
}

/** A place in an ordered list: the value of the field that it is ordered by, if there is one, and the id. */
export interface Position {
  readonly value: number | undefined;
  readonly id: string;
}

const FIELD_OF: ReadonlyMap<string, ListOrder["field"]> = new Map([
  ["createTime", "created"],
  ["priority", "priority"],
  ["startTime", "started"],
  ["endTime", "finished"],
]);

/** What each list can be ordered by. */
export const ORDER_NAMES = {
  job: ["createTime", "priority", "startTime", "endTime"],
  mission: ["createTime", "startTime", "endTime"],
} as const;

export const NEWEST_FIRST: ListOrder = { field: "created", direction: "desc" };

/**
 * Reads `<field>` or `<field> asc|desc`; without a direction `createTime` descends and the others ascend;
 * without anything, the newest first.
 *
 * @param names - the fields that this list can be ordered by
 * @returns undefined for anything else
 */
export function readOrder(text: string, names: readonly string[]): ListOrder | undefined {
  const parts = /^\s*(\w*)(?:\s+(asc|desc))?\s*$/i.exec(text);
  if (parts === null) return undefined;
  const [, name = "", given] = parts;
  if (name === "") return given === undefined ? NEWEST_FIRST : undefined;
  const field = names.includes(name) ? FIELD_OF.get(name) : undefined;
  if (field === undefined) return undefined;
  if (given === undefined) return { field, direction: field === "created" ? "desc" : "asc" };
  return { field, direction: given.toLowerCase() === "desc" ? "desc" : "asc" };
}

/** Where something stands in an order. */
export function positionOf(keys: SearchKeys, order: ListOrder): Position {
  return { value: keys.numbers[order.field], id: keys.keywords.id ?? "" };
}

/** Compares two places (O1, O2); negative when the first comes first. */
export function comparePositions(left: Position, right: Position, order: ListOrder): number {
  const sign = order.direction === "asc" ? 1 : -1;
  if (left.value !== right.value) {
    if (left.value === undefined) return 1;
    if (right.value === undefined) return -1;
    return sign * (left.value - right.value);
  }
  if (left.id === right.id) return 0;
  return sign * (left.id < right.id ? -1 : 1);
}
