import { type DescField, type DescMessage, fromJson, getOption, hasOption } from "@bufbuild/protobuf";
import { DurationSchema, durationMs } from "@bufbuild/protobuf/wkt";
import { type FieldRules, message as messageRules } from "../../gen/buf/validate/validate_pb.js";
import { constraintsOf, rulesOf } from "../schema/constraints.ts";
import type { Schema } from "../schema/schema.ts";

/** How a change of a limit bears on the values that fit. */
export interface LimitChange {
  readonly limit: string;
  readonly was: unknown;
  readonly is: unknown;
  /** Values that fitted no longer do. */
  readonly tightened: boolean;
  /** Values fit that did not before. */
  readonly loosened: boolean;
}

const LOWER = /(^|\.)(minLength|minItems|minProperties|minimum|exclusiveMinimum|x-minimum)$/;
const UPPER = /(^|\.)(maxLength|maxItems|maxProperties|maximum|exclusiveMaximum|x-maximum)$/;

/** Every limit of a field, by a path such as `items.maxLength`; `required` is not one of them. */
export function limitsOf(field: DescField): ReadonlyMap<string, unknown> {
  const rules = rulesOf(field);
  if (rules === undefined) return new Map();
  const { type } = rules;
  const nested: [string, FieldRules | undefined][] = [["", rules]];
  if (type.case === "repeated") nested.push(["items.", type.value.items]);
  if (type.case === "map") nested.push(["values.", type.value.values], ["keys.", type.value.keys]);
  return new Map([
    ...nested.flatMap(([prefix, of]) => entries(prefix, constraintsOf(of))),
    ...rules.cel.map(({ id, expression }) => [`cel ${id}`, expression] as const),
  ]);
}

/** The rules over a whole message, by id. */
export function messageLimits(message: DescMessage): ReadonlyMap<string, unknown> {
  if (!hasOption(message, messageRules)) return new Map();
  return new Map(getOption(message, messageRules).cel.map(({ id, expression }) => [`cel ${id}`, expression]));
}

/** What changed between two sets of limits. */
export function limitChanges(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): readonly LimitChange[] {
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((limit) => {
    const [was, is] = [before.get(limit), after.get(limit)];
    if (JSON.stringify(was) === JSON.stringify(is)) return [];
    return [{ limit, was, is, ...direction(limit, was, is) }];
  });
}

function entries(prefix: string, constraints: Schema): readonly (readonly [string, unknown])[] {
  return Object.entries(constraints)
    .filter(([keyword]) => keyword !== "propertyNames")
    .map(([keyword, value]) => [`${prefix}${keyword}`, value] as const);
}

function direction(limit: string, was: unknown, is: unknown): { tightened: boolean; loosened: boolean } {
  if (was === undefined) return { tightened: true, loosened: false };
  if (is === undefined) return { tightened: false, loosened: true };
  if (LOWER.test(limit) || UPPER.test(limit)) {
    const narrower = LOWER.test(limit) ? amount(is) > amount(was) : amount(is) < amount(was);
    return { tightened: narrower, loosened: !narrower };
  }
  if (Array.isArray(was) && Array.isArray(is)) {
    return {
      tightened: was.some((value) => !is.includes(value)),
      loosened: is.some((value) => !was.includes(value)),
    };
  }
  // Of two patterns, formats or expressions nobody can say in general which one admits more.
  return { tightened: true, loosened: true };
}

function amount(value: unknown): number {
  return typeof value === "string" ? durationMs(fromJson(DurationSchema, value)) : Number(value);
}
