import type { DescField, DescMessage, DescMethod } from "@bufbuild/protobuf";
import { commentOf } from "../image/source-text.ts";
import { isRequired } from "../schema/constraints.ts";
import type { Schema } from "../schema/schema.ts";
import type { SchemaCatalogue } from "../schema/schema-catalogue.ts";
import { WELL_KNOWN } from "../schema/well-known.ts";

/** The fields that a template binds, in its order: `queue.name` of `/v1/queues/{queue.name}`. */
export function variablesOf(template: string): readonly string[] {
  return [...template.matchAll(/\{([^}=]+)(?:=[^}]*)?\}/g)].map(([, name]) => name ?? "");
}

/** A template as OpenAPI writes it: no patterns in its variables. */
export function pathOf(template: string): string {
  return template.replace(/\{([^}=]+)=[^}]*\}/g, "{$1}");
}

/** Whether two templates match the same paths, whatever their variables are called: then they are equal here. */
export function shapeOf(template: string): string {
  return template.replace(/\{[^}]*\}/g, "{}");
}

/** The field that a dotted path leads to. */
export function fieldAt(message: DescMessage, path: string): DescField | undefined {
  let { fields } = message;
  let found: DescField | undefined;
  for (const name of path.split(".")) {
    found = fields.find((field) => field.name === name);
    fields = found?.fieldKind === "message" ? found.message.fields : [];
  }
  return found;
}

/** The parameters in the path, under the names that the document's path has. */
export function pathParameters(
  method: DescMethod,
  { template, names }: { template: string; names: readonly string[] },
  schemas: SchemaCatalogue,
): readonly Schema[] {
  return variablesOf(template).map((variable, at) => {
    const field = fieldAt(method.input, variable);
    if (field === undefined) throw new Error(`${method.name}: the path names ${variable}, which is no field`);
    return {
      name: names[at] ?? variable,
      in: "path",
      required: true,
      description: commentOf(field),
      // A segment is never empty: such a path is another route.
      schema: { minLength: 1, ...schemas.field(field, "input") },
    };
  });
}

/** What is neither in the path nor in the body is in the query; fields of messages by dotted names. */
export function queryParameters(
  method: DescMethod,
  { template, body }: { template: string; body: string },
  schemas: SchemaCatalogue,
): readonly Schema[] {
  if (body === "*") return [];
  const bound = [...variablesOf(template), body];
  return queryFields(method.input, "", bound).map(({ name, field }) => ({
    name,
    in: "query",
    required: isRequired(field),
    description: commentOf(field),
    schema: schemas.field(field, "input"),
    ...(field.fieldKind === "list" && { style: "form", explode: true }),
  }));
}

/** The deepest nesting that a query is documented to. */
const DEEPEST = 3;

function queryFields(
  message: DescMessage,
  prefix: string,
  bound: readonly string[],
  depth = 0,
): readonly { name: string; field: DescField }[] {
  if (depth > DEEPEST) return [];
  return message.fields.flatMap((field) => {
    if (depth === 0 && bound.includes(field.name)) return [];
    const name = `${prefix}${field.jsonName}`;
    if (field.fieldKind === "map") return [];
    if (field.fieldKind === "list") return field.listKind === "message" ? [] : [{ name, field }];
    if (field.fieldKind !== "message") return [{ name, field }];
    const known = WELL_KNOWN.get(field.message.typeName);
    if (known !== undefined) return known.type === "string" ? [{ name, field }] : [];
    return queryFields(field.message, `${name}.`, [], depth + 1);
  });
}
