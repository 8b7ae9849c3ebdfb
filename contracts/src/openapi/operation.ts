import type { DescMethod } from "@bufbuild/protobuf";
import {
  MethodRules_Repeat,
  MethodRules_RetryOwner,
  type Slo,
} from "../../gen/orrery/options/v1/options_pb.js";
import { type Contract, patternOf, type Rpc } from "../image/contract-image.ts";
import { commentOf, firstSentence } from "../image/source-text.ts";
import { durationText } from "../schema/constraints.ts";
import type { Schema } from "../schema/schema.ts";
import type { SchemaCatalogue } from "../schema/schema-catalogue.ts";
import { EVERY_API_ANSWER, EVERY_REQUEST, headerRefs, parameterRefs } from "./components.ts";
import { FRAMES, successBehaviour } from "./edge-behaviour.ts";
import { pathParameters, queryParameters, variablesOf } from "./parameters.ts";
import { outcomeReasons, type Refusals } from "./refusals.ts";

/** What operations are made with. */
export interface OperationParts {
  readonly contract: Contract;
  readonly schemas: SchemaCatalogue;
  readonly refusals: Refusals;
  /** Makes an example of a schema, kept once, and refers to it. */
  readonly example: (schema: Schema, name: string) => Schema;
}

/** One RPC as an operation of the REST API, at a path whose variables are called `names`. */
export function restOperation(rpc: Rpc, names: readonly string[], parts: OperationParts): Schema {
  const { method, http } = rpc;
  const pattern = http && patternOf(http);
  if (http === undefined || pattern === undefined) throw new Error(`${rpc.name} has no route`);
  const { template } = pattern;
  const { schemas, refusals } = parts;
  const comment = commentOf(method);
  return {
    operationId: `${method.parent.name}_${method.name}`,
    tags: [tagOf(method)],
    summary: firstSentence(comment),
    description: comment,
    "x-rpc": rpc.name,
    "x-scope": rpc.rules.scope,
    ...promises(rpc),
    security: [{ apiKey: [rpc.rules.scope] }],
    parameters: [
      ...pathParameters(method, { template, names }, schemas),
      ...queryParameters(method, { template, body: http.body }, schemas),
      ...parameterRefs([...headerParameters(rpc), ...EVERY_REQUEST]),
    ],
    ...requestBody(rpc, variablesOf(template), parts),
    responses: { ...successes(rpc, parts), ...refusals.of(rpc) },
  };
}

/** How long an RPC may take, what a repeat does, and what its callers may expect. */
export function promises({ rules, service }: Rpc): Schema {
  const slo = rules.slo ?? service.slo;
  return {
    ...(rules.deadline && { "x-deadline": durationText(rules.deadline) }),
    "x-repeat": MethodRules_Repeat[rules.repeat],
    ...(rules.retry === MethodRules_RetryOwner.HOP && { "x-retried-inside": true }),
    ...(slo && { "x-slo": sloOf(slo) }),
  };
}

/** `Jobs` of `JobsService`. */
export function tagOf(method: DescMethod): string {
  return method.parent.name.replace(/Service$/, "");
}

function sloOf(slo: Slo): Schema {
  return {
    availability: slo.availability,
    ...(slo.latency && { latency: durationText(slo.latency), latencyShare: slo.latencyShare }),
  };
}

function headerParameters(rpc: Rpc): readonly string[] {
  const has = (name: string) => rpc.method.input.fields.some((field) => field.name === name);
  return [
    ...(has("idempotency_key") ? ["IdempotencyKey"] : []),
    ...(has("consistency_token") ? ["ConsistencyToken"] : []),
    ...(has("last_event_id") ? ["LastEventId"] : []),
    ...(successBehaviour(rpc.name).parameters ?? []),
  ];
}

function requestBody(rpc: Rpc, variables: readonly string[], { schemas, example }: OperationParts): Schema {
  const { method, http } = rpc;
  if (http === undefined || http.body === "") return {};
  const schema = bodySchema(rpc, variables, schemas);
  const isNeeded = http.body !== "*" || (schema.required as unknown) !== undefined || "$ref" in schema;
  return {
    requestBody: {
      required: isNeeded,
      content: {
        "application/json": {
          schema,
          examples: { typical: example(schema, `${tagOf(method)}${method.name}Body`) },
        },
      },
    },
  };
}

function bodySchema({ method, http }: Rpc, variables: readonly string[], schemas: SchemaCatalogue): Schema {
  const { input } = method;
  if (http?.body === "*") {
    if (variables.length === 0) return schemas.message(input, "input");
    return schemas.define(`${method.name}Body`, `${input.typeName} body`, () =>
      schemas.object(input, { direction: "input", without: variables }),
    );
  }
  const field = input.fields.find(({ name }) => name === http?.body);
  if (field?.fieldKind !== "message") throw new Error(`${method.name}: its body is no message`);
  const bound = variables
    .filter((path) => path.startsWith(`${field.name}.`))
    .map((path) => path.split(".")[1] ?? "");
  if (bound.length === 0) return schemas.message(field.message, "input");
  // What the path says may stand in the body too, if it says the same: it is simply not needed there.
  return schemas.define(`${method.name}Body`, `${field.message.typeName} body`, () =>
    schemas.object(field.message, { direction: "input", without: bound }),
  );
}

function successes(rpc: Rpc, parts: OperationParts): Schema {
  const { status = 200, other, headers = [] } = successBehaviour(rpc.name);
  const isReplayable = rpc.method.output.fields.some(({ name }) => name === "replayed");
  const answer = {
    headers: headerRefs([...EVERY_API_ANSWER, ...headers, ...(isReplayable ? ["IdempotencyReplayed"] : [])]),
    content: contentOf(rpc, parts),
  };
  const { output } = rpc.method;
  const outcomes = outcomeReasons(rpc, parts.contract.reasons);
  const description = [
    commentOf(output),
    ...(outcomes.length > 0 ? [`An item that is refused says why: ${outcomes.join(", ")}.`] : []),
  ].join(" ");
  return {
    [status]: { description, ...answer },
    ...(other && { [other.status]: { description: other.when, ...answer } }),
    ...(rpc.method.methodKind === "server_streaming" &&
      rpc.method.input.fields.some(({ name }) => name === "last_event_id") && {
        204: {
          description: "Resumed at its end: nothing is left to say.",
          headers: headerRefs(EVERY_API_ANSWER),
        },
      }),
  };
}

function contentOf(rpc: Rpc, { contract, schemas, example }: OperationParts): Schema {
  const { method, http } = rpc;
  if (method.methodKind === "server_streaming") {
    const frame = frameSchema(rpc, contract, schemas);
    const frames = { type: "array", items: frame };
    const examples = { typical: example(frames, `${tagOf(method)}${method.name}Frames`) };
    return {
      "text/event-stream": {
        schema: {
          type: "string",
          description: "Frames of id, event and data; a comment at least every 15 seconds.",
        },
        "x-item-schema": frame,
      },
      "application/x-ndjson": {
        schema: { type: "string", description: "One JSON document a line." },
        "x-item-schema": frame,
      },
      "application/json": { schema: frames, examples },
    };
  }
  const field = method.output.fields.find(({ name }) => name === http?.responseBody);
  const schema =
    field === undefined ? schemas.message(method.output, "output") : schemas.field(field, "output");
  return {
    "application/json": {
      schema,
      examples: { typical: example(schema, `${tagOf(method)}${method.name}Answer`) },
    },
  };
}

function frameSchema(rpc: Rpc, { registry }: Contract, schemas: SchemaCatalogue): Schema {
  const frames = FRAMES.get(rpc.name)?.map((typeName) => registry.getMessage(typeName));
  if (frames === undefined) throw new Error(`${rpc.name} streams, and edge-behaviour.ts does not say what`);
  const kinds = frames.map((desc) => {
    if (desc === undefined)
      throw new Error(`${rpc.name}: edge-behaviour.ts names a message that is not there`);
    return schemas.message(desc, "output");
  });
  // A frame that stands for nothing (a reset) is an empty object.
  return { anyOf: [...kinds, { type: "object", maxProperties: 0 }] };
}
