import { describe, expect, test } from "@jest/globals";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { isExposed } from "../src/image/contract-image.ts";
import { currentContract, documentsIn, newValidator } from "./contract-reader.ts";

type Operation = {
  operationId: string;
  "x-rpc"?: string;
  security: object[];
  parameters?: { in?: string; name?: string; $ref?: string }[];
  responses: Record<string, { $ref?: string; content?: object; "x-reasons"?: { reason: string }[] }>;
};
type OpenApi = {
  paths: Record<string, Record<string, Operation>>;
  components: {
    responses: Record<string, { content: object; "x-reasons": { reason: string }[] }>;
    examples: Record<string, { value: unknown }>;
  };
};

const documents = documentsIn("openapi");
const edge = documents.get("edge.json") as unknown as OpenApi;
const contract = await currentContract();
const operations = Object.entries(edge.paths).flatMap(([path, of]) =>
  Object.entries(of).map(([method, operation]) => ({ path, method, operation })),
);

describe("every OpenAPI document", () => {
  test.each([...documents.keys()])(
    "%s has nothing that Redocly's recommended rules complain of",
    async (path) => {
      const config = await createConfig({ extends: ["recommended"] });
      const source = JSON.stringify(documents.get(path));
      const problems = await lintFromString({ source, absoluteRef: path, config });
      expect(problems.map(({ ruleId, message }) => `${ruleId}: ${message}`)).toEqual([]);
    },
  );

  test("names each operation once", () => {
    for (const document of documents.values()) {
      const paths = Object.values((document as unknown as OpenApi).paths);
      const ids = paths.flatMap((of) => Object.values(of).map(({ operationId }) => operationId));
      expect(new Set(ids).size).toBe(ids.length);
    }
  });
});

describe("the document of the edge", () => {
  test("has an operation for each RPC that is exposed with a route, and for no other", () => {
    const described = operations.flatMap(({ operation }) => operation["x-rpc"] ?? []);
    const exposed = contract.rpcs.filter((rpc) => isExposed(rpc) && rpc.http !== undefined);
    expect(described.toSorted()).toEqual(exposed.map(({ name }) => name).toSorted());
  });

  test("names every variable of a path, in order", () => {
    for (const { path, operation } of operations) {
      const named = (operation.parameters ?? []).filter((one) => one.in === "path").map(({ name }) => name);
      expect([path, named]).toEqual([path, [...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name)]);
    }
  });

  test("tells for each operation every reason that its proto declares", () => {
    for (const { operation } of operations) {
      const rpc = contract.rpcs.find(({ name }) => name === operation["x-rpc"]);
      if (rpc === undefined) continue;
      const told = Object.values(operation.responses).map((response) => {
        const name = response.$ref?.split("/").at(-1);
        return JSON.stringify(name === undefined ? response : edge.components.responses[name]);
      });
      for (const number of rpc.rules.reasons) {
        const reason = contract.reasons.find((one) => one.number === Number(number))?.name ?? "";
        expect([rpc.name, reason, told.some((text) => text.includes(reason))]).toEqual([
          rpc.name,
          reason,
          true,
        ]);
      }
    }
  });

  test("says nothing of callers, nor of any RPC that is not exposed", () => {
    const text = JSON.stringify(edge);
    expect(text).not.toContain("x-callers");
    for (const rpc of contract.rpcs.filter((one) => !isExposed(one)))
      expect(text).not.toContain(`"${rpc.name}"`);
  });

  test("has examples that fit their schemas, one for each body and answer", () => {
    const validator = newValidator();
    validator.addSchema({ components: edge.components }, "edge");
    let checked = 0;
    const visit = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      const { schema, examples, example } = value as {
        schema?: object;
        examples?: object;
        example?: unknown;
      };
      const given = Object.values(examples ?? {}).map(
        (one: { $ref: string }) => edge.components.examples[one.$ref.split("/").at(-1) ?? ""]?.value,
      );
      if (schema !== undefined && (examples !== undefined || example !== undefined)) {
        const local = JSON.stringify(schema).replaceAll('"#/components', '"edge#/components');
        const validate = validator.compile(JSON.parse(local) as object);
        for (const one of example === undefined ? given : [example]) {
          expect([validate(one), validate.errors, one]).toEqual([true, null, one]);
          checked += 1;
        }
      }
      Object.values(value).forEach(visit);
    };
    visit(edge.paths);
    visit(edge.components.responses);
    expect(checked).toBeGreaterThan(operations.length);
  });
});
