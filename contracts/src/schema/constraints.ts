/**
 * The rules of protovalidate as keywords of JSON Schema. A rule that has no keyword here stops the generator: a
 * document that left it out would admit what the service refuses.
 */
import { type DescField, type DescMessage, getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { type Duration, durationMs } from "@bufbuild/protobuf/wkt";
import {
  type DoubleRules,
  type DurationRules,
  type EnumRules,
  type FieldRules,
  field as fieldRules,
  Ignore,
  type Int32Rules,
  type MapRules,
  message as messageRules,
  type RepeatedRules,
  type StringRules,
} from "../../gen/buf/validate/validate_pb.js";
import { FieldBehavior, field_behavior } from "../../gen/google/api/field_behavior_pb.js";
import type { Schema } from "./schema.ts";

/** The rules of a field that hold; undefined where it has none, or none are applied. */
export function rulesOf(field: DescField): FieldRules | undefined {
  if (!hasOption(field, fieldRules)) return undefined;
  const rules = getOption(field, fieldRules);
  return rules.ignore === Ignore.ALWAYS ? undefined : rules;
}

/** The keywords that the rules of a field, of list items, or of map keys or values come to. */
export function constraintsOf(rules: FieldRules | undefined): Schema {
  if (rules === undefined || rules.ignore === Ignore.ALWAYS) return {};
  const { type } = rules;
  switch (type.case) {
    case undefined:
      return {};
    case "string":
      return stringConstraints(type.value);
    case "int32":
    case "double":
      return numberConstraints(type.value);
    case "duration":
      return durationConstraints(type.value);
    case "repeated":
      return listConstraints(type.value);
    case "map":
      return mapConstraints(type.value);
    case "enum":
      return enumConstraints(type.value);
    default:
      throw new Error(`contracts/src/schema/constraints.ts does not know the rules of a ${type.case}`);
  }
}

/** The rules over a whole message, as CEL has them. */
export function messageConstraints(message: DescMessage): readonly { id: string; message: string }[] {
  if (!hasOption(message, messageRules)) return [];
  return getOption(message, messageRules).cel.map(({ id, message: text }) => ({ id, message: text }));
}

/** Whether a caller has to send a field: it is declared so, or its rules refuse what an absent one stands for. */
export function isRequired(field: DescField): boolean {
  const behaviour = hasOption(field, field_behavior) ? getOption(field, field_behavior) : [];
  if (behaviour.includes(FieldBehavior.REQUIRED)) return true;
  const rules = rulesOf(field);
  if (rules === undefined) return false;
  if (rules.required) return true;
  if (!isImplicit(field)) return false;
  return rules.type.case === "enum"
    ? rules.type.value.notIn.includes(0)
    : refusesZero(field, constraintsOf(rules));
}

/** Whether a field has no presence of its own: absent and zero are one, and an answer always holds it. */
export function isImplicit(field: DescField): boolean {
  if (field.oneof !== undefined) return false;
  if (field.fieldKind === "list" || field.fieldKind === "map") return true;
  return field.fieldKind !== "message" && !field.proto.proto3Optional;
}

/** `readOnly` and `writeOnly`, from AIP-203. */
export function behaviourOf(field: DescField): Schema {
  const behaviour = hasOption(field, field_behavior) ? getOption(field, field_behavior) : [];
  return {
    ...(behaviour.includes(FieldBehavior.OUTPUT_ONLY) && { readOnly: true }),
    ...(behaviour.includes(FieldBehavior.INPUT_ONLY) && { writeOnly: true }),
    ...(behaviour.includes(FieldBehavior.IMMUTABLE) && { "x-immutable": true }),
  };
}

function refusesZero(field: DescField, constraints: Schema): boolean {
  if (Number(constraints.minLength ?? 0) > 0 || Number(constraints.minItems ?? 0) > 0) return true;
  if (Number(constraints.minProperties ?? 0) > 0 || constraints.format === "uuid") return true;
  if (typeof constraints.pattern === "string") return !new RegExp(constraints.pattern, "u").test("");
  return (
    field.fieldKind === "scalar" && field.scalar !== ScalarType.STRING && Number(constraints.minimum ?? 0) > 0
  );
}

function stringConstraints(rules: StringRules): Schema {
  const { wellKnown } = rules;
  if (wellKnown.case !== undefined && wellKnown.case !== "uuid") {
    throw new Error(`contracts/src/schema/constraints.ts does not know a string's ${wellKnown.case}`);
  }
  return {
    ...(rules.minLen > 0n && { minLength: Number(rules.minLen) }),
    ...(rules.maxLen > 0n && { maxLength: Number(rules.maxLen) }),
    ...(rules.pattern !== "" && { pattern: rules.pattern }),
    ...(wellKnown.case === "uuid" && wellKnown.value && { format: "uuid" }),
    ...(rules.in.length > 0 && { enum: rules.in }),
  };
}

function numberConstraints({ greaterThan, lessThan }: Int32Rules | DoubleRules): Schema {
  return {
    ...(greaterThan.case === "gte" && { minimum: greaterThan.value }),
    ...(greaterThan.case === "gt" && { exclusiveMinimum: greaterThan.value }),
    ...(lessThan.case === "lte" && { maximum: lessThan.value }),
    ...(lessThan.case === "lt" && { exclusiveMaximum: lessThan.value }),
  };
}

/** A value that is not defined, and the zero, are in no schema of an enum anyway. */
function enumConstraints(rules: EnumRules): Schema {
  if (rules.in.length > 0 || rules.notIn.some((value) => value !== 0)) {
    throw new Error(
      "contracts/src/schema/constraints.ts does not know an enum's in, nor a not_in beyond the zero",
    );
  }
  return {};
}

/** JSON Schema has no bounds for durations; they are told in words of our own. */
function durationConstraints({ greaterThan, lessThan }: DurationRules): Schema {
  return {
    ...(greaterThan.case === "gte" && { "x-minimum": durationText(greaterThan.value) }),
    ...(lessThan.case === "lte" && { "x-maximum": durationText(lessThan.value) }),
  };
}

function listConstraints(rules: RepeatedRules): Schema {
  return {
    ...(rules.minItems > 0n && { minItems: Number(rules.minItems) }),
    ...(rules.maxItems > 0n && { maxItems: Number(rules.maxItems) }),
    ...(rules.unique && { uniqueItems: true }),
  };
}

function mapConstraints(rules: MapRules): Schema {
  const keys = constraintsOf(rules.keys);
  return {
    ...(rules.minPairs > 0n && { minProperties: Number(rules.minPairs) }),
    ...(rules.maxPairs > 0n && { maxProperties: Number(rules.maxPairs) }),
    ...(Object.keys(keys).length > 0 && { propertyNames: { type: "string", ...keys } }),
  };
}

/** A duration as ProtoJSON writes it. */
export function durationText(duration: Duration): string {
  return `${durationMs(duration) / 1_000}s`;
}
