import { type Contract, isExposed, patternOf } from "../image/contract-image.ts";
import { commentOf } from "../image/source-text.ts";
import type { Schema } from "../schema/schema.ts";
import { SchemaCatalogue } from "../schema/schema-catalogue.ts";
import { HEADERS, PARAMETERS } from "./components.ts";
import { FRAMES } from "./edge-behaviour.ts";
import { exampleMaker } from "./example.ts";
import { type OperationParts, restOperation, tagOf } from "./operation.ts";
import { edgePages, PAGES_TAG } from "./pages.ts";
import { pathOf, shapeOf, variablesOf } from "./parameters.ts";
import { refusals } from "./refusals.ts";

/** The version of the API, as its documents say it. */
export const API_VERSION = "1.0.0";

export const LICENCE = { name: "Apache-2.0", identifier: "Apache-2.0" };

const ABOUT =
  "Jobs handed over, run on your workers, never lost. Errors are problem documents (RFC 9457); a client that takes " +
  "application/json and no problem document gets google.rpc.Status instead. Fields are camelCase; unset messages are " +
  "absent, everything else is always there. What an answer holds may grow: ignore fields that you do not know.";

/** Makes the OpenAPI 3.1 document of the REST API: what it says is what the edge serves. */
export function edgeDocument(contract: Contract): object {
  const routed = contract.rpcs.filter((rpc) => isExposed(rpc) && rpc.http !== undefined);
  const { registry } = contract;
  const frames = [...FRAMES.values()].flat().flatMap((name) => registry.getMessage(name) ?? []);
  const problem = registry.getMessage("orrery.options.v1.Problem");
  const reasonEnum = registry.getEnum("orrery.options.v1.Problem.Reason");
  if (problem === undefined || reasonEnum === undefined) throw new Error("the contract has no Problem");
  const schemas = new SchemaCatalogue({
    prefix: "#/components/schemas/",
    answers: [...routed.map(({ method }) => method.output), ...frames, problem],
  });
  const refused = refusals(contract.reasons, {
    problem: schemas.message(problem, "output"),
    status: schemas.define("RpcStatus", "google.rpc.Status", () => RPC_STATUS),
  });
  schemas.enumeration(reasonEnum);
  const wanted: [string, Schema][] = [];
  const example: OperationParts["example"] = (schema, name) => {
    wanted.push([name, schema]);
    return { $ref: `#/components/examples/${name}` };
  };
  const paths: Record<string, Record<string, Schema>> = {};
  const firstOfShape = new Map<string, string>();
  for (const rpc of routed) {
    const pattern = rpc.http && patternOf(rpc.http);
    if (pattern === undefined) continue;
    // Two templates of one shape are one path to OpenAPI, whatever their variables are called.
    const shape = shapeOf(pattern.template);
    const template = firstOfShape.get(shape) ?? pattern.template;
    firstOfShape.set(shape, template);
    const path = pathOf(template);
    paths[path] ??= {};
    paths[path][pattern.method.toLowerCase()] = restOperation(rpc, variablesOf(template), {
      contract,
      schemas,
      refusals: refused,
      example,
    });
  }
  const make = exampleMaker(schemas.definitions);
  return {
    openapi: "3.1.0",
    info: { title: "Orrery", version: API_VERSION, description: ABOUT, license: LICENCE },
    servers: [{ url: "/", description: "The edge that served this document." }],
    security: [{ apiKey: [] }],
    tags: [...tagsOf(contract), PAGES_TAG],
    paths: { ...paths, ...edgePages() },
    components: {
      schemas: schemas.definitions,
      responses: sorted(refused.responses),
      parameters: PARAMETERS,
      headers: HEADERS,
      examples: sorted(Object.fromEntries(wanted.map(([name, schema]) => [name, { value: make(schema) }]))),
      securitySchemes: {
        apiKey: {
          type: "http",
          scheme: "bearer",
          description: "An API key of a project. An operation names the scope that the key needs.",
        },
      },
    },
  };
}

/** google.rpc.Status in ProtoJSON: the alternative to a problem document. */
const RPC_STATUS: Schema = {
  type: "object",
  description: "google.rpc.Status: what a client gets that takes application/json and no problem document.",
  properties: {
    code: { type: "integer", minimum: 0, maximum: 16, description: "The gRPC code (google.rpc.Code)." },
    message: { type: "string", description: "What happened this time." },
    details: {
      type: "array",
      description: "google.rpc.ErrorInfo with the reason; BadRequest and RetryInfo where they apply.",
      items: {
        type: "object",
        properties: { "@type": { type: "string" } },
        required: ["@type"],
      },
    },
  },
  required: ["code", "message", "details"],
};

function tagsOf({ services, rpcs }: Contract): readonly Schema[] {
  return services
    .filter((service) => rpcs.some((rpc) => rpc.method.parent === service && isExposed(rpc)))
    .flatMap((service) => {
      const [method] = service.methods;
      return method === undefined ? [] : [{ name: tagOf(method), description: commentOf(service) }];
    });
}

function sorted<Value>(of: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(of).sort(([left], [right]) => (left < right ? -1 : 1)));
}
