import type { ValidateFunction } from "ajv";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

/** A schema, as the document has it. */
export type Schema = Record<string, unknown>;

/** One parameter of an operation, references followed. */
export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required: boolean;
  readonly schema: Schema;
}

/** One answer that an operation declares. */
export interface DeclaredAnswer {
  readonly headers: readonly string[];
  /** By media type: the schema of the whole, and of one frame where it is a stream of text. */
  readonly content: ReadonlyMap<string, { readonly schema: Schema; readonly frame: Schema | undefined }>;
}

/** One operation: everything that a client can know of it. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly needsKey: boolean;
  readonly parameters: readonly Parameter[];
  readonly body: Schema | undefined;
  /** The bodies that it shows, in their order. */
  readonly examples: readonly unknown[];
  readonly answers: ReadonlyMap<number, DeclaredAnswer>;
}

interface Raw {
  [name: string]: unknown;
  paths: Record<string, Record<string, Schema>>;
  components: Record<string, Record<string, Schema>>;
}

/** Reads an OpenAPI document as it was fetched. */
export class OpenApiDocument {
  readonly operations: ReadonlyMap<string, Operation>;
  readonly #document: Raw;
  readonly #ajv: InstanceType<typeof Ajv2020.default>;
  readonly #validators = new Map<string, ValidateFunction>();

  constructor(document: object) {
    this.#document = document as Raw;
    this.#ajv = new Ajv2020.default({ strict: false, allErrors: true });
    addFormats.default(this.#ajv);
    // What is answered is held to the letter: a field that the document does not name is a lie by omission.
    this.#ajv.addSchema(
      closed({ components: { schemas: this.#document.components.schemas } }) as Schema,
      "document",
    );
    this.operations = new Map(
      Object.entries(this.#document.paths).flatMap(([path, methods]) =>
        Object.entries(methods).map(([method, operation]) => {
          const read = this.#operation(method, path, operation);
          return [read.id, read] as const;
        }),
      ),
    );
  }

  /** What does not fit a schema of the document; empty where all does. */
  problems(schema: Schema, value: unknown): readonly string[] {
    const key = JSON.stringify(schema);
    let validate = this.#validators.get(key);
    if (validate === undefined) {
      const local = JSON.parse(key.replaceAll('"#/components', '"document#/components')) as Schema;
      validate = this.#ajv.compile(closed(local) as Schema);
      this.#validators.set(key, validate);
    }
    if (validate(value)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
    );
  }

  /** Follows references, of any number. */
  resolve(schema: Schema): Schema {
    if (typeof schema.$ref !== "string") return schema;
    const { $ref, ...beside } = schema;
    const target = $ref
      .slice(2)
      .split("/")
      .reduce<unknown>((value, name) => (value as Schema | undefined)?.[name], this.#document);
    if (target === undefined) throw new Error(`the document refers to ${$ref}, which it does not hold`);
    return this.resolve({ ...(target as Schema), ...beside });
  }

  #operation(method: string, path: string, raw: Schema): Operation {
    const { content } = (raw.requestBody ?? {}) as {
      content?: Record<string, { schema: Schema; examples?: Record<string, Schema> }>;
    };
    const json = content?.["application/json"];
    return {
      id: String(raw.operationId),
      method: method.toUpperCase(),
      path,
      needsKey: (raw.security as unknown[]).length > 0,
      parameters: ((raw.parameters ?? []) as Schema[]).map(
        (one) => this.resolve(one) as unknown as Parameter,
      ),
      body: json?.schema,
      examples: Object.values(json?.examples ?? {}).map((example) => this.resolve(example).value),
      answers: new Map(
        Object.entries(raw.responses as Record<string, Schema>).map(([status, answer]) => [
          Number(status),
          this.#answer(this.resolve(answer)),
        ]),
      ),
    };
  }

  #answer({ headers = {}, content = {} }: Schema): DeclaredAnswer {
    return {
      headers: Object.keys(headers as object),
      content: new Map(
        Object.entries(content as Record<string, Schema>).map(([type, media]) => [
          type,
          { schema: media.schema as Schema, frame: media["x-item-schema"] as Schema | undefined },
        ]),
      ),
    };
  }
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== "object" || value === null) return value;
  const copy: Schema = Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, closed(child)]),
  );
  const isOpen =
    copy.type === "object" && copy.properties !== undefined && copy.additionalProperties === undefined;
  // What only narrows another schema names some of its properties, and cannot close it.
  return isOpen && copy.required !== undefined ? { ...copy, additionalProperties: false } : copy;
}
