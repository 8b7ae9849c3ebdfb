import { describe, expect, test } from "@jest/globals";
import { exampleMaker } from "../src/openapi/example.ts";
import { EVENTS_FROM, lastRelease } from "../src/schema/released.ts";
import type { Schema } from "../src/schema/schema.ts";
import { writersSchema } from "../src/schema/schema-documents.ts";
import { documentsIn, newValidator } from "./contract-reader.ts";

const release = lastRelease();
const schemas = documentsIn("schemas");
const asyncApis = documentsIn("asyncapi");
const released = new Map([...release.schemas].filter(([path]) => path.startsWith("events/")));
const typeOf = (path: string): string => path.replace(/^events\/|\.json$/g, "");

/** An event that fits a schema, made from the schema itself. */
function madeFrom(schema: Schema): Schema {
  const definitions = (schema.$defs ?? {}) as Record<string, Schema>;
  const made = exampleMaker(definitions)(schema) as Schema;
  return { ...made, version: schema.$version };
}

const compiled = new Map<Schema, ReturnType<ReturnType<typeof newValidator>["compile"]>>();

const problems = (schema: Schema, event: object): string[] => {
  const reads = compiled.get(schema) ?? newValidator().compile(schema);
  compiled.set(schema, reads);
  return reads(event)
    ? []
    : (reads.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
};

describe(`what ${release.version} put on the wire`, () => {
  test("is kept beside it, most kinds of it, and is what its own schemas let a writer write", () => {
    expect([EVENTS_FROM, release.events.length > released.size / 2]).toEqual([EVENTS_FROM, true]);
    for (const event of release.events) {
      const schema = released.get(`events/${event.eventType}.json`) ?? {};
      expect([event.eventType, problems(writersSchema(schema), event)]).toEqual([event.eventType, []]);
    }
  });

  test("is read by everybody who has the schemas of now", () => {
    let read = 0;
    for (const [path, schema] of released) {
      const now = schemas.get(path);
      // A removed event is the breaking check's concern.
      if (now === undefined) continue;
      const recorded = release.events.filter(({ eventType }) => eventType === typeOf(path));
      for (const event of [madeFrom(schema), ...recorded]) {
        expect([path, problems(now, event)]).toEqual([path, []]);
        read += 1;
      }
    }
    process.stdout.write(
      `${read} events of ${release.version} (${release.events.length} recorded, ${released.size} made) read by now\n`,
    );
  });
});

describe("what is written now", () => {
  test(`is read by whoever has the schemas of ${release.version}`, () => {
    let read = 0;
    for (const document of asyncApis.values()) {
      const { messages } = document.components as {
        messages: Record<string, { name: string; examples: { payload: Schema }[] }>;
      };
      for (const { name, examples } of Object.values(messages)) {
        const before = released.get(`events/${name}.json`);
        const [example] = examples;
        if (before === undefined || example === undefined) continue;
        expect([name, problems(before, example.payload)]).toEqual([name, []]);
        read += 1;
      }
    }
    expect(read).toBeGreaterThanOrEqual(released.size);
    process.stdout.write(`${read} events of now read by ${release.version}\n`);
  });
});
