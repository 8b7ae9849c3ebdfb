import type { DescExtension } from "@bufbuild/protobuf";
import type { Contract } from "../image/contract-image.ts";
import {
  type Declared,
  fileOf,
  type Position,
  pathOf,
  positionAt,
  positionOf,
} from "../image/source-text.ts";

/** One promise that a change breaks. */
export interface Finding {
  readonly position: Position;
  readonly rule: string;
  /** What breaks, and for whom. */
  readonly breaks: string;
  /** What to do instead. */
  readonly instead: string;
}

/** One kind of promise: what to look at, and what is found broken. */
export interface DiffRule {
  readonly name: string;
  /** The promise, in one sentence. */
  readonly holds: string;
  check(before: Contract, after: Contract): Iterable<Omit<Finding, "rule">>;
}

/** A finding as it is printed: `file:line:column: rule: what breaks and for whom; what to do instead`. */
export function findingLine({ position: { file, line, column }, rule, breaks, instead }: Finding): string {
  return `${file}:${line}:${column}: ${rule}: ${breaks}; ${instead}`;
}

/** The field number of `options` in the descriptors of descriptor.proto, by kind. */
const OPTIONS = { message: 7, enum: 3, enum_value: 3, field: 8, rpc: 4, service: 3 } as const;

/** Where an option of something is written; where the thing is, for lack of one. */
export function optionPosition(
  desc: Declared & { kind: keyof typeof OPTIONS },
  extension: Pick<DescExtension, "number">,
): Position {
  const path = [...pathOf(desc), OPTIONS[desc.kind], extension.number];
  const found = positionAt(fileOf(desc), path);
  return found.line === 1 ? positionOf(desc) : found;
}
