import type { OpenApiDocument, Operation, Schema } from "./openapi-document.ts";

/** What is sent in one try, and what was done to it. */
export interface Try {
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What is wrong with it; undefined where it should fit. */
  readonly wrong: string | undefined;
}

/** Values that break programs. */
const NASTY: readonly unknown[] = [
  "",
  " ",
  "\u0000",
  "'; drop table job; --",
  "../../etc/passwd",
  "%00%2e%2e",
  "ﷺ🏳️‍🌈\u202e",
  "__proto__",
  "x".repeat(5_000),
  -1,
  0,
  1.5,
  2_147_483_648,
  1e308,
  null,
  true,
  [],
  {},
  [[[[[[]]]]]],
  { "": { "": 1 } },
];

/** Waiting is asked for by these; nobody should wait long in a test. */
const SHORT: Readonly<Record<string, unknown>> = { waitSeconds: 0, Prefer: "wait=1", minVersion: 0 };

/** Makes requests out of an OpenAPI document, the same ones for the same seed: some fit, some do not. */
export class RequestMaker {
  readonly #document: OpenApiDocument;
  #state: number;

  constructor(document: OpenApiDocument, seed: number) {
    this.#document = document;
    this.#state = seed >>> 0;
  }

  /** One try of an operation: every second one has something wrong in it. */
  next(operation: Operation): Try {
    const isWrong = this.#below(2) === 0;
    const made = this.#fitting(operation);
    return isWrong ? this.#spoiled(operation, made) : made;
  }

  #fitting(operation: Operation): Try {
    const of = (place: string) =>
      operation.parameters.filter((one) => one.in === place && (one.required || this.#below(3) === 0));
    const values = (place: string) =>
      Object.fromEntries(
        of(place).map(({ name, schema }) => [name, SHORT[name] ?? this.#value(schema, name, 0)]),
      );
    const asText = (given: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(given).map(([name, value]) => [name, headerText(value)]));
    return {
      path: asText(values("path")),
      query: values("query"),
      headers: asText(values("header")),
      ...(operation.body && { body: this.#value(operation.body, "", 0) }),
      wrong: undefined,
    };
  }

  #spoiled(operation: Operation, made: Try): Try {
    const nasty = this.#one(NASTY);
    const places = [
      ...Object.keys(made.path).map((name) => ["path", name] as const),
      ...operation.parameters.filter((one) => one.in === "query").map(({ name }) => ["query", name] as const),
      ["query", "notInTheDocument"] as const,
      ...(operation.body === undefined ? [] : ([["body", ""]] as const)),
    ];
    const [place, name] = this.#one(places);
    const wrong = `${place} ${name} ${JSON.stringify(nasty)?.slice(0, 40)}`;
    if (place === "path") return { ...made, path: { ...made.path, [name]: String(nasty) || "-" }, wrong };
    if (place === "query") return { ...made, query: { ...made.query, [name]: nasty }, wrong };
    return { ...made, body: this.#spoiledBody(made.body, nasty), wrong };
  }

  #spoiledBody(body: unknown, nasty: unknown): unknown {
    if (typeof body !== "object" || body === null || this.#below(6) === 0) return nasty;
    if (Array.isArray(body)) return body.length === 0 ? nasty : [this.#spoiledBody(body[0], nasty)];
    const names = Object.keys(body);
    if (names.length === 0 || this.#below(6) === 0) return { ...body, notInTheDocument: nasty };
    const name = this.#one(names);
    if (this.#below(6) === 0)
      return Object.fromEntries(Object.entries(body).filter(([other]) => other !== name));
    const value = (body as Record<string, unknown>)[name];
    const spoiled = this.#below(2) === 0 ? nasty : this.#spoiledBody(value, nasty);
    return { ...body, [name]: spoiled };
  }

  #value(given: Schema, name: string, depth: number): unknown {
    if (name in SHORT) return SHORT[name];
    const schema = this.#document.resolve(given);
    if ("const" in schema) return schema.const;
    if (Array.isArray(schema.enum)) return this.#one(schema.enum as unknown[]);
    switch (schema.type) {
      case "boolean":
        return this.#below(2) === 0;
      case "integer":
        return this.#within(schema);
      case "number":
        return this.#within(schema) + (schema.maximum === undefined ? 0.5 : 0);
      case "string":
        return this.#text(schema);
      case "array":
        return this.#list(schema, name, depth);
      case "object":
        return this.#object(schema, depth);
      default:
        return this.#one([1, "text", [1, 2], { a: { b: null } }, null, false]);
    }
  }

  #object(schema: Schema, depth: number): unknown {
    const required = (schema.required ?? []) as readonly string[];
    const properties = Object.entries((schema.properties ?? {}) as Record<string, Schema>).filter(
      ([, one]) => one.readOnly !== true,
    );
    const chosen = properties.filter(
      ([name]) => required.includes(name) || (depth < 3 && this.#below(3) === 0),
    );
    const object = Object.fromEntries(chosen.map(([name, one]) => [name, this.#value(one, name, depth + 1)]));
    if (properties.length > 0 || schema.additionalProperties === undefined) return object;
    const value = schema.additionalProperties as Schema;
    return { team: this.#value(value, "", depth + 1) };
  }

  #list(schema: Schema, name: string, depth: number): unknown {
    const least = Number(schema.minItems ?? 0);
    const length = depth > 3 ? least : least + this.#below(3);
    return Array.from({ length }, () => this.#value(schema.items as Schema, name, depth + 1));
  }

  #within({ minimum, maximum }: Schema): number {
    const least = Math.max(Number(minimum ?? 0), 0);
    const most = Math.min(Number(maximum ?? 100), least + 1_000);
    return this.#one([least, most, least + this.#below(most - least + 1)]);
  }

  #text(schema: Schema): string {
    if (schema.format === "uuid") return `0199d2f4-7c1e-7a40-8f3b-${this.#hex(12)}`;
    if (schema.format === "date-time")
      return this.#one(["2026-01-31T12:00:00Z", "2031-01-31T12:00:00.123456Z"]);
    const pattern = typeof schema.pattern === "string" ? new RegExp(schema.pattern, "u") : undefined;
    const candidates = [
      "5s",
      "0.5s",
      "orrery.echo",
      "default",
      "a",
      "Z_9",
      "concurrency",
      `q${this.#hex(4)}`,
    ];
    const fitting = candidates.filter((one) => pattern === undefined || pattern.test(one));
    const long = Math.min(Number(schema.maxLength ?? 64), 64);
    return this.#one(
      pattern === undefined ? ["", ...fitting, "ü".repeat(long)] : fitting.length > 0 ? fitting : ["a"],
    );
  }

  #hex(length: number): string {
    return Array.from({ length }, () => this.#below(16).toString(16)).join("");
  }

  #one<Item>(items: readonly Item[]): Item {
    return items[this.#below(items.length)] as Item;
  }

  /** Numerical Recipes' generator: good enough to choose, and the same everywhere. */
  #below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * limit);
  }
}

/** A header's value: visible ASCII. */
function headerText(value: unknown): string {
  return String(value).replace(/[^ -~]/g, "?");
}
