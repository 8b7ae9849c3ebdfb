import { describe, expect, test } from "@jest/globals";
import type { Schema } from "../src/schema/schema.ts";
import { schemaDocuments } from "../src/schema/schema-documents.ts";
import { type Bump, differences, isAtLeast, largestBump, leastVersion } from "../src/schema/version-bump.ts";
import { versionsTooSmall } from "../src/schema/version-gate.ts";
import { currentContract } from "./contract-reader.ts";

const BEFORE: Schema = {
  type: "object",
  description: "A thing.",
  properties: {
    name: { type: "string", pattern: "^[a-z]+$" },
    size: { type: "integer", minimum: 1 },
    state: { type: "string", enum: ["ON", "OFF"] },
    parts: { type: "array", items: { $ref: "#/$defs/Part" } },
    labels: { type: "object", additionalProperties: { type: "string" } },
  },
  required: ["name", "state"],
  $defs: { Part: { type: "object", properties: { id: { type: "string" } }, required: ["id"] } },
};

type Change = (schema: {
  properties: Record<string, Schema>;
  required: string[];
  $defs: Record<string, Schema>;
}) => void;

describe("a change of a schema", () => {
  test.each<[string, Bump, Change]>([
    ["nothing", "none", () => {}],
    ["other words", "patch", (schema) => Object.assign(schema, { description: "Some thing." })],
    [
      "words of a part",
      "patch",
      (schema) => Object.assign(schema.$defs.Part ?? {}, { description: "A part." }),
    ],
    ["a field more", "minor", (schema) => Object.assign(schema.properties, { colour: { type: "string" } })],
    [
      "a field more in a part",
      "minor",
      ({ $defs }) => Object.assign($defs.Part?.properties ?? {}, { at: { type: "string" } }),
    ],
    [
      "a value more",
      "minor",
      ({ properties }) => Object.assign(properties.state ?? {}, { enum: ["ON", "OFF", "IDLE"] }),
    ],
    ["a field less", "major", ({ properties }) => void delete properties.size],
    ["a value less", "major", ({ properties }) => Object.assign(properties.state ?? {}, { enum: ["ON"] })],
    ["another type", "major", ({ properties }) => Object.assign(properties.size ?? {}, { type: "string" })],
    [
      "another pattern",
      "major",
      ({ properties }) => Object.assign(properties.name ?? {}, { pattern: "^[a-z0-9]+$" }),
    ],
    ["another bound", "major", ({ properties }) => Object.assign(properties.size ?? {}, { minimum: 0 })],
    ["a bound less", "major", ({ properties }) => void delete properties.size?.minimum],
    [
      "another type of a map's values",
      "major",
      ({ properties }) =>
        Object.assign(properties.labels ?? {}, { additionalProperties: { type: "integer" } }),
    ],
    ["a field required", "major", ({ required }) => void required.push("size")],
    ["a field that may be absent", "major", ({ required }) => void required.pop()],
    [
      "a field of a part less",
      "major",
      ({ $defs }) => Object.assign($defs.Part ?? {}, { properties: {}, required: [] }),
    ],
    ["another format", "major", ({ properties }) => Object.assign(properties.name ?? {}, { format: "uuid" })],
  ])("%s is %s", (_title, bump, change) => {
    const after = structuredClone(BEFORE);
    change(after as Parameters<Change>[0]);
    expect(largestBump(differences(BEFORE, after))).toBe(bump);
  });

  test("of a schema that holds itself is found and ends", () => {
    const node = (extra: Schema): Schema => ({
      $ref: "#/$defs/Node",
      $defs: { Node: { type: "object", properties: { next: { $ref: "#/$defs/Node" }, ...extra } } },
    });
    expect(largestBump(differences(node({}), node({ name: { type: "string" } })))).toBe("minor");
  });
});

test("the least version that a bump leads to has zeros after it", () => {
  expect(["major", "minor", "patch", "none"].map((bump) => leastVersion("1.2.3", bump as Bump))).toEqual([
    "2.0.0",
    "1.3.0",
    "1.2.4",
    "1.2.3",
  ]);
  expect(isAtLeast("1.10.0", "1.9.9")).toBe(true);
  expect(isAtLeast("1.9.9", "1.10.0")).toBe(false);
});

describe("a version that says too little", () => {
  test("is refused with the line of the option and the version to set", async () => {
    const contract = await currentContract();
    const documents = schemaDocuments(contract);
    const path = "events/orrery.events.v1.jobs.JobQueued.json";
    const released = new Map(documents.map((one) => [one.path, structuredClone(one.schema)]));
    const { $defs } = released.get(path) as { $defs: { Job: { properties: Schema } } };
    $defs.Job.properties.color = { type: "string" };
    const [found, ...others] = versionsTooSmall(released, documents, contract);
    expect(others).toEqual([]);
    expect(found?.position).toMatchObject({ file: "proto/orrery/jobs/v1/job_events.proto", column: 10 });
    expect(found?.fix).toBe(
      "orrery.events.v1.jobs.JobQueued was 1.0.0 and is 1.0.0: /payload/job/color was removed, which is major; " +
        "set its version to 2.0.0",
    );
  });

  test("is not asked of a field that is new: what was written before lacks it, so it is not demanded", async () => {
    const contract = await currentContract();
    const released = new Map(schemaDocuments(contract).map((one) => [one.path, structuredClone(one.schema)]));
    const job = released.get("job.json") as { properties: Schema; required: string[] };
    delete job.properties.priority;
    job.required = job.required.filter((name) => name !== "priority");
    const now = schemaDocuments(contract, released).find(({ path }) => path === "job.json");
    expect(now?.schema.required).not.toContain("priority");
    const [found] = versionsTooSmall(released, now === undefined ? [] : [now], contract);
    expect(found?.fix).toContain("/priority was added, which is minor; set its version to 1.1.0");
  });
});
