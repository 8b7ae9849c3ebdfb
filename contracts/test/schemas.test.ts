import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { newestRelease } from "../src/schema/released.ts";
import type { Schema } from "../src/schema/schema.ts";
import { schemaDocuments, writersSchema } from "../src/schema/schema-documents.ts";
import { versionsTooSmall } from "../src/schema/version-gate.ts";
import { hashOf } from "../src/schema/versions-page.ts";
import { currentContract, documentsIn, newValidator, ROOT } from "./contract-reader.ts";

const contract = await currentContract();
const schemas = documentsIn("schemas");
const asyncApis = documentsIn("asyncapi");
const released = newestRelease(join(ROOT, "contracts/released"));
const SEMVER = /^[0-9]+\.[0-9]+\.[0-9]+$/;

describe("every published schema", () => {
  test("has an https $id that ends in its SemVer $version, and a row with its hash in VERSIONS.md", () => {
    const page = readFileSync(join(ROOT, "contracts/VERSIONS.md"), "utf8");
    for (const [path, schema] of schemas) {
      expect([path, schema.$schema]).toEqual([path, "https://json-schema.org/draft/2020-12/schema"]);
      expect(schema.$version).toMatch(SEMVER);
      expect(schema.$id).toMatch(new RegExp(`^https://.*/${String(schema.$version)}$`));
      expect(page).toContain(
        `(schemas/${path}) | ${String(schema.$version)} | \`${String(schema.$id)}\` | \`${hashOf(schema)}\``,
      );
    }
    expect(page.match(/^\| \[/gm)).toHaveLength(schemas.size);
  });

  test("compiles in strict mode, as its reader and as its writer has it", () => {
    for (const schema of schemas.values()) {
      expect(() => newValidator().compile(schema)).not.toThrow();
      expect(() => newValidator().compile(writersSchema(schema))).not.toThrow();
    }
  });

  test("is there for the nouns that everybody shares, and for each event", () => {
    const nouns = ["job", "job-attempt", "job-status", "mission", "alert", "problem", "event-envelope"];
    const events = contract.events.map(({ type }) => `events/${type}.json`);
    expect([...schemas.keys()].toSorted()).toEqual(
      [...nouns.map((noun) => `${noun}.json`), ...events].toSorted(),
    );
  });

  test("carries a version that says as much as what changed since the last release", () => {
    const documents = schemaDocuments(contract, released?.schemas);
    const found = versionsTooSmall(released?.schemas ?? new Map<string, Schema>(), documents, contract);
    expect(found.map(({ position: { file, line }, fix }) => `${file}:${line}: ${fix}`)).toEqual([]);
  });
});

describe("an AsyncAPI document", () => {
  test.each([...asyncApis.keys()])(
    "%s has nothing that Redocly's recommended rules complain of",
    async (path) => {
      const config = await createConfig({ extends: ["recommended"] });
      const problems = await lintFromString({
        source: JSON.stringify(asyncApis.get(path)),
        absoluteRef: path,
        config,
      });
      expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
    },
  );

  test("has examples that fit the published schemas of their events", () => {
    for (const document of asyncApis.values()) {
      const { messages } = document.components as {
        messages: Record<string, { name: string; examples: { payload: unknown }[] }>;
      };
      for (const { name, examples } of Object.values(messages)) {
        const schema = schemas.get(`events/${name}.json`);
        const validate = newValidator().compile(writersSchema(schema ?? {}));
        const [example] = examples;
        expect([name, validate(example?.payload), validate.errors]).toEqual([name, true, null]);
      }
    }
  });
});

describe("an event of the next minor version", () => {
  const path = "events/orrery.events.v1.jobs.JobQueued.json";
  const before = schemas.get(path) as Schema;
  /** The schema and an event of it as they would be once a job had a field more. */
  const after = structuredClone(before);
  const job = (schema: Schema) =>
    (schema.$defs as Record<string, { properties: Schema }>).Job as { properties: Schema };
  job(after).properties.region = { type: "string" };
  const asyncApi = asyncApis.get("jobs.json") as {
    components: { messages: Record<string, { examples: { payload: Schema }[] }> };
  };
  const oldEvent = asyncApi.components.messages.JobQueued?.examples[0]?.payload as Schema;
  const newEvent = structuredClone(oldEvent) as { version: string; payload: { job: Schema } };
  newEvent.version = "1.1.0";
  newEvent.payload.job.region = "north";

  test("is read by a reader that has the schema of before", () => {
    const reads = newValidator().compile(before);
    expect([reads(newEvent), reads.errors]).toEqual([true, null]);
  });

  test("does not stop a new reader from reading what was written before", () => {
    const reads = newValidator().compile(after);
    expect([reads(oldEvent), reads.errors]).toEqual([true, null]);
  });

  test("is refused by a writer's schema of before, so that an undeclared field never gets onto the wire", () => {
    expect(newValidator().compile(writersSchema(before))(newEvent)).toBe(false);
    expect(newValidator().compile(writersSchema(after))(newEvent)).toBe(true);
  });

  test("of the next major version is refused", () => {
    expect(newValidator().compile(before)({ ...newEvent, version: "2.0.0" })).toBe(false);
  });
});
