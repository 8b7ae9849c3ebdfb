import type { NumberField, SearchKeys } from "./search-keys.ts";

/**
 * How a list of jobs is ordered.
 *
 * O1: jobs without the field come last in both directions. O2: ties are broken by id, in the same direction.
 */
export interface JobOrder {
  readonly field: Extract<NumberField, "created" | "priority" | "started" | "finished">;
  readonly direction: "asc" | "desc";
}

/** A place in an ordered list: the value of the field that it is ordered by, if there is one, and the id. */
export interface Position {
  readonly value: number | undefined;
  readonly id: string;
}

const FIELD_OF: ReadonlyMap<string, JobOrder["field"]> = new Map([
  ["createTime", "created"],
  ["priority", "priority"],
  ["startTime", "started"],
  ["endTime", "finished"],
]);

export const ORDER_NAMES: readonly string[] = [...FIELD_OF.keys()];

/**
 * Reads `<field>` or `<field> asc|desc`; without a direction `createTime` descends and the others ascend;
 * without anything, the newest first.
 *
 * @returns undefined for anything else
 */
export function readOrder(text: string): JobOrder | undefined {
  const parts = /^\s*(\w*)(?:\s+(asc|desc))?\s*$/i.exec(text);
  if (parts === null) return undefined;
  if (parts[1] === "") return parts[2] === undefined ? { field: "created", direction: "desc" } : undefined;
  const field = FIELD_OF.get(parts[1] ?? "");
  if (field === undefined) return undefined;
  const given = parts[2]?.toLowerCase();
  if (given === undefined) return { field, direction: field === "created" ? "desc" : "asc" };
  return { field, direction: given === "desc" ? "desc" : "asc" };
}

/** Where a job stands in an order. */
export function positionOf(keys: SearchKeys, order: JobOrder): Position {
  return { value: keys.numbers[order.field], id: keys.keywords.id ?? "" };
}

/** Compares two places (O1, O2); negative when the first comes first. */
export function comparePositions(left: Position, right: Position, order: JobOrder): number {
  const sign = order.direction === "asc" ? 1 : -1;
  if (left.value !== right.value) {
    if (left.value === undefined) return 1;
    if (right.value === undefined) return -1;
    return sign * (left.value - right.value);
  }
  if (left.id === right.id) return 0;
  return sign * (left.id < right.id ? -1 : 1);
}
