import type { DescField, DescMethod } from "@bufbuild/protobuf";
import { ProblemSchema } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import type { TranscoderRoute } from "@orrery/transcoder";
import { type EdgeMethod, nameOf } from "../dispatch/edge-methods.ts";
import { sameShape } from "../http/route-label.ts";
import { type Schema, SchemaCatalogue } from "./json-schema.ts";

/** The version of the API, as its documents say it. */
const VERSION = "1.0.0";

/**
 * Makes the OpenAPI 3.1 document of the REST API from the descriptors: what it says is what the edge serves.
 */
export function openApiDocument(options: {
  routes: readonly TranscoderRoute[];
  methods: ReadonlyMap<DescMethod, EdgeMethod>;
  publicUrl: string;
}): object {
  const schemas = new SchemaCatalogue();
  const problem = schemas.message(ProblemSchema);
  const paths: Record<string, Record<string, Schema>> = {};
  // Two templates of one shape are one path to OpenAPI, whatever their variables are called.
  const named = sameShape(options.routes.map(({ template }) => template));
  for (const route of options.routes) {
    const edge = options.methods.get(route.method);
    if (edge === undefined) continue;
    const template = named(route.template);
    const path = pathOf(template);
    paths[path] ??= {};
    paths[path][route.httpMethod.toLowerCase()] = operationOf(route, edge, {
      schemas,
      problem,
      names: variablesOf(template),
    });
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Orrery",
      version: VERSION,
      description:
        "Jobs handed over, run on your workers, never lost. Errors are problem documents (RFC 9457).",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: options.publicUrl }],
    security: [{ apiKey: [] }],
    tags: [...new Set(options.routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      schemas: schemas.components,
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "An API key of a project." },
      },
    },
  };
}

function operationOf(
  route: TranscoderRoute,
  edge: EdgeMethod,
  { schemas, problem, names }: { schemas: SchemaCatalogue; problem: Schema; names: readonly string[] },
): Schema {
  const variables = variablesOf(route.template);
  const body = bodyOf(route, variables, schemas);
  return {
    operationId: `${route.method.parent.name}_${route.method.name}`,
    tags: [tagOf(route)],
    summary: route.method.name.replace(/(?<=[a-z])(?=[A-Z])/g, " "),
    "x-rpc": nameOf(route.method),
    "x-scope": edge.scope,
    parameters: [
      ...variables.map((variable, index) =>
        parameter("path", names[index] ?? variable, schemas, fieldAt(route.method, variable)),
      ),
      ...queryFields(route, variables).map((field) => parameter("query", field.jsonName, schemas, field)),
      ...headerParameters(edge),
    ],
    ...(body && { requestBody: { required: true, content: { "application/json": { schema: body } } } }),
    responses: {
      [successStatus(route)]: { description: "Done.", content: contentOf(route, schemas) },
      default: { description: "Refused.", content: { "application/problem+json": { schema: problem } } },
    },
  };
}

function successStatus(route: TranscoderRoute): string {
  return route.method.name === "SubmitJob" ? "202" : "200";
}

function contentOf(route: TranscoderRoute, schemas: SchemaCatalogue): Schema {
  const { output, methodKind } = route.method;
  const field = output.fields.find((candidate) => candidate.name === route.responseBody);
  const schema = field === undefined ? schemas.message(output) : schemas.field(field);
  if (methodKind === "unary") return { "application/json": { schema } };
  return { "text/event-stream": { schema }, "application/x-ndjson": { schema } };
}

function bodyOf(
  route: TranscoderRoute,
  variables: readonly string[],
  schemas: SchemaCatalogue,
): Schema | undefined {
  const { input } = route.method;
  if (route.body === "") return undefined;
  if (route.body === "*") {
    return schemas.object(
      input,
      input.fields.filter((field) => !variables.includes(field.name)),
    );
  }
  const field = input.fields.find((candidate) => candidate.name === route.body);
  return field === undefined ? undefined : schemas.field(field);
}

/** What is neither in the path nor in the body is in the query, where it has a form there. */
function queryFields(route: TranscoderRoute, variables: readonly string[]): readonly DescField[] {
  if (route.body === "*") return [];
  return route.method.input.fields.filter(
    (field) =>
      field.name !== route.body &&
      !variables.includes(field.name) &&
      (field.fieldKind !== "message" || field.message.typeName.startsWith("google.protobuf.")),
  );
}

function headerParameters({ headerFields }: EdgeMethod): readonly Schema[] {
  const header = (name: string) => ({ in: "header", name, required: false, schema: { type: "string" } });
  return [
    ...(headerFields.idempotencyKey ? [header("Idempotency-Key")] : []),
    ...(headerFields.lastEventId ? [header("Last-Event-ID")] : []),
    ...(headerFields.consistencyToken ? [header("Orrery-Consistency-Token")] : []),
  ];
}

function parameter(
  place: "path" | "query",
  name: string,
  schemas: SchemaCatalogue,
  field: DescField | undefined,
): Schema {
  const schema = field === undefined ? { type: "string" } : schemas.field(field);
  return { in: place, name, required: place === "path", schema };
}

function fieldAt(method: DescMethod, path: string): DescField | undefined {
  let { fields } = method.input;
  let found: DescField | undefined;
  for (const name of path.split(".")) {
    found = fields.find((field) => field.name === name);
    fields = found?.fieldKind === "message" ? found.message.fields : [];
  }
  return found;
}

function variablesOf(template: string): readonly string[] {
  return [...template.matchAll(/\{([^}=]+)(?:=[^}]*)?\}/g)].map(([, name]) => name ?? "");
}

/** OpenAPI names its variables without a pattern. */
function pathOf(template: string): string {
  return template.replace(/\{([^}=]+)=[^}]*\}/g, "{$1}");
}

function tagOf(route: TranscoderRoute): string {
  return route.method.parent.name.replace(/Service$/, "");
}
