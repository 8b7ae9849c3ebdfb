import {
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { field as fieldRules, Ignore } from "@orrery/contracts/gen/buf/validate/validate_pb.js";
import type { FieldViolation } from "../fault/fault.ts";

// PostgreSQL's text holds no U+0000, and half a surrogate pair becomes U+FFFD on its way through UTF-8: what
// comes back would not be what was sent. Values of google.protobuf.Value are exempt, they are kept as JSON
// text with escapes.

const EXEMPT = new Set(["google.protobuf.Value", "google.protobuf.Struct", "google.protobuf.ListValue"]);
const ADVICE = "must not hold U+0000 or half of a surrogate pair";

/**
 * The strings of a message that cannot be kept as they are, map keys included. Fields that the contract's
 * rules leave out (`IGNORE_ALWAYS`) are left out here too: who reads them judges them one by one, so that one
 * caller's item cannot refuse a call that carries many.
 *
 * @returns a violation for each, with its ProtoJSON path; empty where all is well
 */
export function unsafeStrings<D extends DescMessage>(schema: D, message: MessageShape<D>): FieldViolation[] {
  const found: FieldViolation[] = [];
  walk(schema, message, "", found);
  return found;
}

type Fields = Readonly<Record<string, unknown>>;

// The members that can lead to a string, for each type once: most types have few, and numbers are never
// looked at.
const plans = new WeakMap<DescMessage, readonly (DescField | DescOneof)[]>();

function planOf(schema: DescMessage): readonly (DescField | DescOneof)[] {
  const known = plans.get(schema);
  if (known !== undefined) return known;
  const plan = schema.members.filter((member) =>
    member.kind === "oneof" ? member.fields.some(leadsToString) : leadsToString(member),
  );
  plans.set(schema, plan);
  return plan;
}

function leadsToString(field: DescField): boolean {
  if (isJudgedApart(field)) return false;
  if (field.message !== undefined) return !EXEMPT.has(field.message.typeName);
  if (field.fieldKind === "map") return true;
  return field.scalar === STRING;
}

function isJudgedApart(field: DescField): boolean {
  const { ignore, type } = getOption(field, fieldRules);
  if (ignore === Ignore.ALWAYS) return true;
  return type.case === "repeated" && type.value.items?.ignore === Ignore.ALWAYS;
}

// ScalarType.STRING of @bufbuild/protobuf, which is the field type of descriptor.proto.
const STRING = 9;

function walk(schema: DescMessage, message: Message, path: string, found: FieldViolation[]): void {
  const values = message as unknown as Fields;
  for (const member of planOf(schema)) {
    if (member.kind === "oneof") {
      const chosen = values[member.localName] as { case?: string; value?: unknown } | undefined;
      const field = member.fields.find(({ localName }) => localName === chosen?.case);
      if (field !== undefined && leadsToString(field)) visit(field, chosen?.value, step(path, field), found);
    } else {
      visit(member, values[member.localName], step(path, member), found);
    }
  }
}

function visit(field: DescField, value: unknown, path: string, found: FieldViolation[]): void {
  if (value === undefined) return;
  if (field.fieldKind === "list") {
    for (const [index, item] of (value as readonly unknown[]).entries()) {
      one(field, item, `${path}[${index}]`, found);
    }
  } else if (field.fieldKind === "map") {
    for (const [key, item] of Object.entries(value as Fields)) {
      const at = `${path}[${JSON.stringify(key)}]`;
      one(field, key, at, found);
      one(field, item, at, found);
    }
  } else {
    one(field, value, path, found);
  }
}

function one(field: DescField, value: unknown, path: string, found: FieldViolation[]): void {
  if (typeof value === "string") {
    if (value.includes("\0") || !value.isWellFormed()) found.push({ field: path, description: ADVICE });
  } else if (field.message !== undefined && value !== null && typeof value === "object") {
    if (!EXEMPT.has(field.message.typeName)) walk(field.message, value as Message, path, found);
  }
}

function step(path: string, field: DescField): string {
  return path === "" ? field.jsonName : `${path}.${field.jsonName}`;
}
