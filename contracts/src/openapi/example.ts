import type { Schema } from "../schema/schema.ts";

/** Values that a reader knows at once, by the name of the property. */
const BY_NAME: Readonly<Record<string, unknown>> = {
  id: "0199d2f4-7c1e-7a40-8f3b-2f6f0c1d9e55",
  jobId: "0199d2f4-7c1e-7a40-8f3b-2f6f0c1d9e55",
  missionId: "0199d2f4-8a02-7b11-9c55-5d0e7a3b1f20",
  undoJobId: "0199d2f4-9b33-7c22-8d66-6e1f8b4c2a31",
  aggregateId: "0199d2f4-7c1e-7a40-8f3b-2f6f0c1d9e55",
  eventId: "0199d2f4-7c20-7d33-8e77-7f2a9c5d3b42",
  project: "demo",
  projectId: "demo",
  contractVersion: "1.0.0",
  service: "jobs",
  instanceId: "jobs-0",
  task: "orrery.echo",
  tasks: ["orrery.echo"],
  queue: "default",
  queues: ["default"],
  worker: "worker-1",
  maxAttempts: 5,
  attempt: 1,
  leaseEpoch: 1,
  version: 3,
  aggregateVersion: 3,
  input: { text: "hello" },
  output: { text: "hello" },
  labels: { team: "blue" },
  correlationId: "0199d2f4-7c1e-7a40-8f3b-2f6f0c1d9e55",
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  timeout: "600s",
  initialDelay: "1s",
  maxDelay: "300s",
  delay: "5s",
  period: "1s",
  duration: "3600s",
  factor: 2,
  jitter: 0.2,
  q: "status:failed task:orrery.*",
  orderBy: "createTime desc",
  pageSize: 50,
  nextPageToken: "",
  updateMask: "concurrency,rate",
  idempotencyKey: "order-4711",
  // A step of a mission that comes first and can be undone: it may not have all of its fields at once.
  after: [],
  noUndo: false,
  pivot: false,
};

/** What no example of a request stays right about: it has to be in the future, and not far in it. */
const LEFT_OUT: ReadonlySet<string> = new Set(["expireTime"]);

/** Nesting beyond which optional parts are left out, so that an example stays readable. */
const DEEPEST = 4;

/** Makes examples that fit their schemas; always the same ones. */
export function exampleMaker(definitions: Readonly<Record<string, Schema>>): (schema: Schema) => unknown {
  const resolve = (schema: Schema): Schema => {
    const [whole] = (schema.allOf ?? []) as readonly Schema[];
    if (schema.type === undefined && whole !== undefined) return resolve(whole);
    if (typeof schema.$ref !== "string") return schema;
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    const { $ref: _, ...beside } = schema;
    return resolve({ ...definitions[name], ...beside });
  };
  const make = (given: Schema, name: string, depth: number): unknown => {
    const schema = resolve(given);
    const known = BY_NAME[name];
    if (known !== undefined && fitsType(schema, known)) return known;
    return plainValue(schema, name, (child, childName) => make(child, childName, depth + 1), depth);
  };
  return (schema) => make(schema, "", 0);
}

type Make = (schema: Schema, name: string) => unknown;

function plainValue(schema: Schema, name: string, make: Make, depth: number): unknown {
  if ("const" in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0] as unknown;
  if (Array.isArray(schema.anyOf)) return make(schema.anyOf[0] as Schema, name);
  switch (schema.type) {
    case "boolean":
      return true;
    case "integer":
    case "number":
      return Math.max(Number(schema.minimum ?? 0), 1);
    case "string":
      return stringOf(schema, name);
    case "array":
      return depth > DEEPEST && !schema.minItems ? [] : [make(schema.items as Schema, singular(name))];
    case "object":
      return objectOf(schema, make, depth);
    default:
      return { text: "hello" };
  }
}

function objectOf(schema: Schema, make: Make, depth: number): unknown {
  const properties = (schema.properties ?? {}) as Record<string, Schema>;
  const required = (schema.required ?? []) as readonly string[];
  const closedChoice = choiceOf(schema);
  const rules = (schema["x-rules"] ?? []) as readonly { message: string }[];
  const isSent = schema.additionalProperties === false;
  const names = Object.keys(properties).filter((name) => {
    if (isSent && (properties[name]?.readOnly === true || LEFT_OUT.has(name))) return false;
    if (required.includes(name)) return true;
    if (closedChoice.has(name)) return closedChoice.get(name) === true;
    return depth <= DEEPEST && !excludedByRule(rules, name, Object.keys(properties));
  });
  return Object.fromEntries(names.map((name) => [name, make(properties[name] ?? {}, name)]));
}

/** The fields of oneofs: whether each is the one that the example holds. */
function choiceOf(schema: Schema): ReadonlyMap<string, boolean> {
  const groups = (schema.allOf ?? [schema]) as readonly Schema[];
  const chosen = new Map<string, boolean>();
  for (const { oneOf } of groups) {
    const names = ((oneOf ?? []) as readonly Schema[]).flatMap(
      ({ required }) => (required ?? []) as string[],
    );
    for (const [at, name] of names.entries()) chosen.set(name, at === 0);
  }
  return chosen;
}

/** Of the fields that a rule over the message names, an example holds the last one alone. */
function excludedByRule(
  rules: readonly { message: string }[],
  name: string,
  properties: readonly string[],
): boolean {
  return rules.some(({ message }) => {
    const named = properties.filter((property) => new RegExp(`\\b${property}\\b`).test(message));
    return named.includes(name) && named.at(-1) !== name;
  });
}

function stringOf({ format, pattern, minLength }: Schema, name: string): string {
  if (format === "uuid") return String(BY_NAME.id);
  if (format === "date-time") return "2026-01-31T12:00:00Z";
  if (format === "uri-reference") return "/v1/jobs";
  if (typeof pattern === "string") {
    const candidates = ["5s", "", "default", "a", "1", "order-4711"];
    const regular = new RegExp(pattern, "u");
    const fits = candidates.find((candidate) => candidate !== "" && regular.test(candidate));
    if (fits !== undefined) return fits;
  }
  return name === "" || minLength !== undefined
    ? "text"
    : name.replace(/(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase();
}

function singular(name: string): string {
  return name.replace(/s$/, "");
}

function fitsType(schema: Schema, value: unknown): boolean {
  if (schema.$ref !== undefined || schema.const !== undefined || schema.enum !== undefined) return false;
  if (typeof schema.pattern === "string" && typeof value === "string") {
    return new RegExp(schema.pattern, "u").test(value);
  }
  switch (schema.type) {
    case "integer":
    case "number":
      return typeof value === "number";
    case "array":
      if (!Array.isArray(value) || value.length < Number(schema.minItems ?? 0)) return false;
      return value.length === 0 || (schema.items as Schema).type === typeof value[0];
    case "object":
      return typeof value === "object" && !Array.isArray(value) && schema.properties === undefined;
    case undefined:
      return true;
    default:
      return typeof value === schema.type;
  }
}
