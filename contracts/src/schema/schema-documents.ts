import { type DescMessage, getOption, hasOption } from "@bufbuild/protobuf";
import { event as eventRules } from "../../gen/orrery/options/v1/options_pb.js";
import type { Contract, Event } from "../image/contract-image.ts";
import { commentOf } from "../image/source-text.ts";
import { NAMESPACE, PUBLISHED, type Published } from "./published.ts";
import type { Schema } from "./schema.ts";
import { enumSchema, SchemaCatalogue, schemaName } from "./schema-catalogue.ts";

/** A schema as it is published, under the path of its file below `contracts/schemas`. */
export interface SchemaDocument {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly schema: Schema;
}

const DIALECT = "https://json-schema.org/draft/2020-12/schema";
const ENVELOPE = "orrery.events.v1.EventEnvelope";
const DEFINITIONS = "#/$defs/";

/**
 * Every published schema: the nouns, the envelope, and each event whole, envelope and payload.
 *
 * They are a reader's: strict about what is there, open for what a later minor version adds.
 *
 * @param released - the newest released schemas by path; a field that is newer than they are is not demanded, since
 *   what was written before lacks it
 */
export function schemaDocuments(
  contract: Contract,
  released: ReadonlyMap<string, Schema> = new Map(),
): readonly SchemaDocument[] {
  const nouns = PUBLISHED.map((published) => nounDocument(contract, published));
  return [...nouns.map((noun) => sinceRelease(noun, released)), ...eventDocuments(contract, released)];
}

/** The published schemas of the events alone; see `schemaDocuments`. */
export function eventDocuments(
  contract: Contract,
  released: ReadonlyMap<string, Schema> = new Map(),
): readonly SchemaDocument[] {
  return contract.events.map((event) => sinceRelease(eventDocument(contract, event), released));
}

function sinceRelease(document: SchemaDocument, released: ReadonlyMap<string, Schema>): SchemaDocument {
  const before = released.get(document.path);
  return before === undefined
    ? document
    : { ...document, schema: demandingNoMoreThan(before, document.schema) };
}

function nounDocument({ registry }: Contract, { name, type, version }: Published): SchemaDocument {
  const message = registry.getMessage(type);
  const catalogue = new SchemaCatalogue({ prefix: DEFINITIONS });
  const noun = registry.getEnum(type);
  const body = noun !== undefined ? enumSchema(noun) : message && bodyOf(message, catalogue);
  if (body === undefined) throw new Error(`${type} is published, and not in the protos`);
  return documentOf({ path: `${name}.json`, id: name, name, version }, body, catalogue.definitions);
}

function bodyOf(message: DescMessage, catalogue: SchemaCatalogue): Schema {
  const body = catalogue.object(message, { direction: "output" });
  return message.typeName === ENVELOPE ? { ...body, required: everyField(message) } : body;
}

function eventDocument({ registry }: Contract, { message, type, version }: Event): SchemaDocument {
  const envelope = registry.getMessage(ENVELOPE);
  if (envelope === undefined) throw new Error("the protos have no envelope");
  const catalogue = new SchemaCatalogue({ prefix: DEFINITIONS });
  const body = catalogue.object(envelope, { direction: "output" });
  const major = version.split(".")[0] ?? "";
  const properties = {
    ...(body.properties as Schema),
    eventType: { const: type, description: "What happened." },
    version: {
      type: "string",
      pattern: `^${major}\\.[0-9]+\\.[0-9]+$`,
      description: "The SemVer of this schema.",
    },
    payload: eventPayload(message, catalogue),
  };
  const whole = {
    ...body,
    description: commentOf(message),
    properties,
    required: everyField(envelope),
  };
  const about = { path: `events/${type}.json`, id: `events/${type}`, name: type, version };
  return documentOf(about, whole, catalogue.definitions);
}

/** The payload of an event. Its first field is the aggregate after the transition, and always there. */
export function eventPayload(message: DescMessage, catalogue: SchemaCatalogue): Schema {
  return catalogue.define(schemaName(message), `${message.typeName} event`, () => {
    const body = catalogue.object(message, { direction: "output" });
    const [aggregate] = message.fields.toSorted((left, right) => left.number - right.number);
    const required = [...((body.required ?? []) as string[]), ...(aggregate ? [aggregate.jsonName] : [])];
    return { ...body, required, "x-version": versionOf(message) };
  });
}

function versionOf(message: DescMessage): string {
  return hasOption(message, eventRules) ? getOption(message, eventRules).version : "";
}

function documentOf(
  about: { path: string; id: string; name: string; version: string },
  body: Schema,
  definitions: Record<string, Schema>,
): SchemaDocument {
  const { path, id, name, version } = about;
  const schema = {
    $schema: DIALECT,
    $id: `${NAMESPACE}/${id}/${version}`,
    $version: version,
    title: name,
    ...body,
    ...(Object.keys(definitions).length > 0 && { $defs: definitions }),
  };
  return { path, name, version, schema };
}

/** An envelope holds all of its fields, always. */
function everyField(envelope: DescMessage): readonly string[] {
  return envelope.fields.map(({ jsonName }) => jsonName);
}

/** Takes out of `required`, here and in every definition, what an earlier version did not have. */
function demandingNoMoreThan(before: Schema, after: Schema): Schema {
  const demanded = (earlier: Schema | undefined, now: Schema): Schema => {
    if (earlier === undefined || !Array.isArray(now.required)) return now;
    const known = (earlier.properties ?? {}) as Schema;
    const required = (earlier.required ?? []) as readonly string[];
    return {
      ...now,
      required: (now.required as string[]).filter((name) =>
        !(name in known) ? false : required.includes(name),
      ),
    };
  };
  const earlierDefinitions = (before.$defs ?? {}) as Record<string, Schema>;
  const definitions = Object.entries((after.$defs ?? {}) as Record<string, Schema>);
  const $defs = Object.fromEntries(
    definitions.map(([name, now]) => [name, demanded(earlierDefinitions[name], now)]),
  );
  return { ...demanded(before, after), ...(definitions.length > 0 && { $defs }) };
}

/**
 * The schema as its writer has to keep it: every object closed, so that what is written holds nothing that the
 * schema does not name.
 */
export function writersSchema(schema: Schema): Schema {
  const closed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(closed);
    if (typeof value !== "object" || value === null) return value;
    const copy = Object.fromEntries(Object.entries(value).map(([name, child]) => [name, closed(child)]));
    const isOpen =
      copy.type === "object" && copy.properties !== undefined && copy.additionalProperties === undefined;
    return isOpen ? { ...copy, additionalProperties: false } : copy;
  };
  return closed(schema) as Schema;
}
