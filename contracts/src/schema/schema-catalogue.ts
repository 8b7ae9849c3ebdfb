import type { DescEnum, DescField, DescMessage } from "@bufbuild/protobuf";
import { getOption, hasOption, ScalarType } from "@bufbuild/protobuf";
import { field as ownFieldRules } from "../../gen/orrery/options/v1/options_pb.js";
import { contextOf } from "../image/contract-image.ts";
import { commentOf } from "../image/source-text.ts";
import {
  behaviourOf,
  constraintsOf,
  isImplicit,
  isRequired,
  messageConstraints,
  rulesOf,
} from "./constraints.ts";
import type { Direction, Schema } from "./schema.ts";
import { scalarSchema, WELL_KNOWN } from "./well-known.ts";

/** The context whose messages mirror those of others, and so carry its name. */
const MIRROR = "observatory";

/**
 * The schemas of messages and enums in their ProtoJSON form, each defined once and referred to.
 *
 * What a caller sends is closed, since an unknown field is refused; what it gets is open, since a field may be
 * added. A message that goes both ways has two schemas, `Queue` and `QueueInput`.
 */
export class SchemaCatalogue {
  readonly #definitions = new Map<string, Schema>();
  readonly #owners = new Map<string, string>();
  readonly #prefix: string;
  readonly #answered: ReadonlySet<string>;
  readonly #wrapsReferences: boolean;

  /**
   * @param options.prefix - where definitions are kept, such as `#/components/schemas/`
   * @param options.answers - the messages that answers are made of; one of them that is sent too gets the suffix
   * @param options.wrapsReferences - for AsyncAPI, which takes no words beside a `$ref`
   */
  constructor(options: { prefix: string; answers?: readonly DescMessage[]; wrapsReferences?: boolean }) {
    const { prefix, answers = [], wrapsReferences = false } = options;
    this.#prefix = prefix;
    this.#wrapsReferences = wrapsReferences;
    this.#answered = reachable(answers);
  }

  /** The definitions by name, sorted. */
  get definitions(): Record<string, Schema> {
    return Object.fromEntries([...this.#definitions].sort(([left], [right]) => (left < right ? -1 : 1)));
  }

  message(desc: DescMessage, direction: Direction): Schema {
    const known = WELL_KNOWN.get(desc.typeName);
    if (known !== undefined) return known;
    const suffix = direction === "input" && this.#answered.has(desc.typeName) ? "Input" : "";
    return this.define(`${schemaName(desc)}${suffix}`, `${desc.typeName} ${direction}`, () =>
      this.object(desc, { direction }),
    );
  }

  /** An object of a message's fields, defined in place; without those named in `without`. */
  object(desc: DescMessage, options: { direction: Direction; without?: readonly string[] }): Schema {
    const { direction, without = [] } = options;
    const fields = desc.fields.filter(({ name }) => !without.includes(name));
    const isNeeded = direction === "input" ? isRequired : isImplicit;
    const required = fields.filter(isNeeded).map(({ jsonName }) => jsonName);
    const rules = direction === "input" ? messageConstraints(desc) : [];
    const description = [commentOf(desc), ...rules.map(({ message }) => `Rule: ${message}.`)].join(" ");
    return {
      type: "object",
      ...(description !== "" && { description }),
      properties: Object.fromEntries(
        fields.map((field) => [field.jsonName, this.property(field, direction)]),
      ),
      ...(required.length > 0 && { required }),
      ...choices(desc),
      ...(direction === "input" && { additionalProperties: false }),
      ...(rules.length > 0 && { "x-rules": rules }),
    };
  }

  /** A field with its comment, its rules and how it is handled. */
  property(field: DescField, direction: Direction): Schema {
    const description = commentOf(field);
    const isPrivate = hasOption(field, ownFieldRules) && getOption(field, ownFieldRules).private;
    const values = this.field(field, direction);
    return {
      ...(this.#wrapsReferences && "$ref" in values ? { allOf: [values] } : values),
      ...(description !== "" && { description }),
      ...behaviourOf(field),
      ...(isPrivate && { "x-private": true }),
    };
  }

  /** A field's values and their rules, without words. */
  field(field: DescField, direction: Direction): Schema {
    const rules = rulesOf(field);
    const own = constraintsOf(rules);
    switch (field.fieldKind) {
      case "scalar":
        return { ...scalarSchema(field.scalar), ...own, ...filled(field, direction) };
      case "enum":
        return this.enumeration(field.enum);
      case "message":
        return { ...this.message(field.message, direction), ...own };
      case "list": {
        const items = rules?.type.case === "repeated" ? constraintsOf(rules.type.value.items) : {};
        return { type: "array", items: { ...this.#value(field, direction), ...items }, ...own };
      }
      case "map": {
        const values = rules?.type.case === "map" ? constraintsOf(rules.type.value.values) : {};
        const additionalProperties = { ...this.#value(field, direction), ...values };
        return { type: "object", additionalProperties, ...own };
      }
    }
  }

  enumeration(desc: DescEnum): Schema {
    return this.define(schemaName(desc), desc.typeName, () => enumSchema(desc));
  }

  /**
   * Takes a definition in, once for each key, and refers to it. The name is taken before the schema is made, so that
   * a message may hold itself.
   *
   * @throws Error when two different things would have one name
   */
  define(name: string, key: string, make: () => Schema): Schema {
    const owner = this.#owners.get(name);
    if (owner !== undefined && owner !== key)
      throw new Error(`${owner} and ${key} would both be the schema ${name}`);
    if (owner === undefined) {
      this.#owners.set(name, key);
      this.#definitions.set(name, {});
      this.#definitions.set(name, make());
    }
    return { $ref: `${this.#prefix}${name}` };
  }

  #value(field: DescField & ({ fieldKind: "list" } | { fieldKind: "map" }), direction: Direction): Schema {
    const kind = field.fieldKind === "list" ? field.listKind : field.mapKind;
    if (kind === "scalar" && field.scalar !== undefined) return scalarSchema(field.scalar);
    if (kind === "enum" && field.enum !== undefined) return this.enumeration(field.enum);
    if (kind === "message" && field.message !== undefined) return this.message(field.message, direction);
    throw new Error(`${field.parent.typeName}.${field.name} has no kind of value`);
  }
}

/** A text that has to be sent may not be empty: absent and empty are one. */
function filled(field: DescField, direction: Direction): Schema {
  const isText = field.fieldKind === "scalar" && field.scalar === ScalarType.STRING;
  const needed = direction === "input" && isText && isImplicit(field) && rulesOf(field)?.required === true;
  const { minLength, pattern } = constraintsOf(rulesOf(field));
  return needed && minLength === undefined && pattern === undefined ? { minLength: 1 } : {};
}

/** An enum's names, the zero left out: it is never sent and never accepted. */
export function enumSchema(desc: DescEnum): Schema {
  const values = desc.values.filter(({ number }) => number !== 0);
  const meanings = values.map((value) => `${value.name}: ${commentOf(value)}`);
  return {
    type: "string",
    description: [commentOf(desc), ...meanings].join("\n- "),
    enum: values.map(({ name }) => name),
  };
}

/** `Job`, `JobStatus`, `ObservatorySpan`: the names along the nesting; those of the read model carry its name. */
export function schemaName(desc: DescMessage | DescEnum): string {
  const local = desc.typeName.slice(desc.file.proto.package.length + 1).replaceAll(".", "");
  return contextOf(desc.file) === MIRROR ? `Observatory${local}` : local;
}

/** Every message that the given ones are made of, themselves included. */
export function reachable(roots: readonly DescMessage[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (desc: DescMessage): void => {
    if (seen.has(desc.typeName) || WELL_KNOWN.has(desc.typeName)) return;
    seen.add(desc.typeName);
    for (const { message } of desc.fields) if (message !== undefined) visit(message);
  };
  roots.forEach(visit);
  return seen;
}

/** At most one field of each oneof. */
function choices(desc: DescMessage): Schema {
  const groups = desc.oneofs.map(({ fields }) => {
    const names = fields.map(({ jsonName }) => jsonName);
    const none = { properties: Object.fromEntries(names.map((name) => [name, false])) };
    return { oneOf: [...names.map((name) => ({ required: [name] })), none] };
  });
  const [first] = groups;
  if (first === undefined) return {};
  return groups.length === 1 ? first : { allOf: groups };
}
