import { describe, expect, test } from "@jest/globals";
import { createTranscoder } from "@orrery/transcoder";
import { edgeMethods } from "../../src/dispatch/edge-methods.ts";
import { asyncApiDocument } from "../../src/docs/asyncapi.ts";
import { openApiDocument } from "../../src/docs/openapi.ts";
import { routeLabels, sameShape } from "../../src/http/route-label.ts";
import { EVENT_FILES, REGISTRY, SERVICES } from "../../src/registry.ts";

const methods = edgeMethods(SERVICES);
const { routes } = createTranscoder({
  registry: REGISTRY,
  services: SERVICES,
  call: () => {
    throw new Error("nothing is called here");
  },
});
type Document = {
  paths: Record<string, Record<string, Record<string, unknown>>>;
  components: { schemas: object };
};
const openApi = openApiDocument({ routes, methods, publicUrl: "https://edge.example" }) as Document;

/** Every `$ref` of a document. */
function references(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) =>
    name === "$ref" && typeof child === "string" ? [child] : references(child),
  );
}

/** What a `$ref` into the same document points at. */
const resolve = (document: object, reference: string): unknown =>
  reference
    .slice(2)
    .split("/")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], document);

describe("the OpenAPI document", () => {
  test("has every route of the transcoder", () => {
    const described = Object.entries(openApi.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const named = sameShape(routes.map(({ template }) => template));
    const served = routes.map((route) => `${route.httpMethod} ${named(route.template)}`);
    expect(described.toSorted()).toEqual(served.toSorted());
    expect(described).toContain("POST /v1/jobs/{id}:cancel");
  });

  test("refers to nothing that it does not hold", () => {
    const refs = references(openApi);
    expect(refs.length).toBeGreaterThan(50);
    for (const ref of refs) expect([ref, resolve(openApi, ref)]).toEqual([ref, expect.anything()]);
  });

  test("names each operation once, and every variable of its path", () => {
    const operations = Object.entries(openApi.paths).flatMap(([path, of]) =>
      Object.values(of).map((operation) => ({ path, operation })),
    );
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { path, operation } of operations) {
      const named = (operation.parameters as { in: string; name: string }[])
        .filter((parameter) => parameter.in === "path")
        .map((parameter) => parameter.name);
      expect(named).toEqual([...path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => name));
    }
  });

  test("has JobStatus as a schema of its own, without the zero value", () => {
    expect(openApi.components.schemas).toMatchObject({
      JobStatus: {
        type: "string",
        enum: ["SCHEDULED", "QUEUED", "RUNNING", "RETRYING", "SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"],
      },
    });
  });
});

test("the AsyncAPI document has the eleven events of jobs, and every schema that it refers to", () => {
  const document = asyncApiDocument(EVENT_FILES, "https://edge.example") as { channels: object };
  expect(Object.keys(document.channels)).toHaveLength(11);
  for (const ref of references(document))
    expect([ref, resolve(document, ref)]).toEqual([ref, expect.anything()]);
});

test.each([
  ["/v1/jobs", "/v1/jobs"],
  ["/v1/jobs/0190-abc", "/v1/jobs/{id}"],
  ["/v1/jobs/0190-abc:cancel", "/v1/jobs/{id}:cancel"],
  ["/v1/jobs:batchSubmit", "/v1/jobs:batchSubmit"],
  ["/v1/events:watch", "/v1/events:watch"],
  ["/v1/queues/default", "/v1/queues/{queue}"],
  ["/v1/nothing/like/it", "_none"],
  ["/etc/passwd", "_none"],
])("metrics know %s as %s", (path, label) => {
  expect(routeLabels(routes.map(({ template }) => template))(path)).toBe(label);
});
