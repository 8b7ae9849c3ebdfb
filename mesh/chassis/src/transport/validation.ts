import { type DescField, type DescMessage, getOption, type MessageShape } from "@bufbuild/protobuf";
import type { Path } from "@bufbuild/protobuf/reflect";
import { createValidator, type Violation } from "@bufbuild/protovalidate";
import { message as messageRules } from "@orrery/contracts/gen/buf/validate/validate_pb.js";
import { Fault, type FieldViolation } from "../fault/fault.ts";
import { unsafeStrings } from "./string-safety.ts";

const validator = createValidator();

/**
 * Holds a message against the rules of the contract, and its strings against what a database can keep.
 *
 * @param pathPrefix - where the message stands in the request, as in `items[3]`
 * @returns one entry for each field at fault, in the names and paths of ProtoJSON; empty where all is well
 * @throws Error when a rule of the contract itself is broken
 */
export function validateMessage<D extends DescMessage>(
  schema: D,
  message: MessageShape<D>,
  pathPrefix = "",
): FieldViolation[] {
  const result = validator.validate(schema, message);
  if (result.kind === "error") throw result.error;
  const broken = result.kind === "invalid" ? result.violations.map((one) => fieldViolation(schema, one)) : [];
  const found = [...broken, ...unsafeStrings(schema, message)];
  return pathPrefix === "" ? found : found.map((violation) => below(pathPrefix, violation));
}

/**
 * The same as `validateMessage`, as a refusal.
 *
 * @throws Fault `INVALID_REQUEST` with all violations
 */
export function requireValid<D extends DescMessage>(schema: D, message: MessageShape<D>): void {
  const fieldViolations = validateMessage(schema, message);
  const [first] = fieldViolations;
  if (first === undefined) return;
  const more = fieldViolations.length === 1 ? "" : ` (and ${fieldViolations.length - 1} more)`;
  const about = first.field === "" ? first.description : `${first.field}: ${first.description}`;
  throw new Fault("INVALID_REQUEST", { detail: `${about}${more}`, fieldViolations });
}

/** Writes a path in ProtoJSON names: `items[3].maxAttempts`, `labels["a.b"]`. */
export function jsonPath(path: Path): string {
  let text = "";
  for (const step of path) {
    if (step.kind === "list_sub") text += `[${step.index}]`;
    else if (step.kind === "map_sub") text += `[${JSON.stringify(String(step.key))}]`;
    else text += `${text === "" ? "" : "."}${step.kind === "field" ? step.jsonName : step.name}`;
  }
  return text;
}

function fieldViolation(schema: DescMessage, violation: Violation): FieldViolation {
  const { field, forKey, message, ruleId } = violation;
  const what = forKey ? `the key ${message}` : message;
  return { field: jsonPath([...field, ...blamed(schema, violation)]), description: describe(what, ruleId) };
}

/** A rule over a whole message has no field of its own: the one that its expression reads last is at fault. */
function blamed(schema: DescMessage, { field: path, ruleId }: Violation): readonly DescField[] {
  const at = path.length === 0 ? schema : path.findLast((step) => step.kind === "field")?.message;
  const rule = at && getOption(at, messageRules).cel.find(({ id }) => id === ruleId);
  const [, last] = [...(rule?.expression.matchAll(/\bthis\.(\w+)/g) ?? [])].at(-1) ?? [];
  return at?.fields.filter(({ name }) => name === last) ?? [];
}

// What protovalidate says names the limit ("must be less than or equal to 100"); where a rule has no text of
// its own, the rule's id does.
function describe(message: string, ruleId: string): string {
  if (message === "") return `breaks the rule ${ruleId}`;
  return nameForm(message) ?? message.replace(/^value /, "");
}

const NAME_PATTERN = /does not match regex pattern `\^\[([^\]]+)\]\[([^\]]+)\]\{0,(\d+)\}\$`$/;

/** The pattern of a name in words: who wrote a space in it should not have to read a regular expression. */
function nameForm(message: string): string | undefined {
  const [, first, others, rest] = NAME_PATTERN.exec(message) ?? [];
  if (first === undefined || others === undefined || rest === undefined) return undefined;
  return `must be 1 to ${Number(rest) + 1} characters of ${others}, the first of ${first}`;
}

function below(prefix: string, { field, description }: FieldViolation): FieldViolation {
  const joined = field === "" || field.startsWith("[") ? `${prefix}${field}` : `${prefix}.${field}`;
  return { field: joined, description };
}
