import { describe, expect, test } from "@jest/globals";
import { createTranscoder } from "@orrery/transcoder";
import { asyncApiDocument, openApiDocument } from "../../src/docs/contract-documents.ts";
import { routeLabels, sameShape } from "../../src/http/route-label.ts";
import { REGISTRY, SERVICES } from "../../src/registry.ts";

const { routes } = createTranscoder({
  registry: REGISTRY,
  services: SERVICES,
  call: () => {
    throw new Error("nothing is called here");
  },
});
type Document = {
  servers: unknown;
  paths: Record<string, Record<string, Record<string, unknown>>>;
  components: { schemas: object };
};
const openApi = openApiDocument("https://edge.example") as Document;

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
  test("has exactly the routes of the transcoder", () => {
    const described = Object.entries(openApi.paths)
      .filter(([path]) => path.startsWith("/v1/"))
      .flatMap(([path, operations]) =>
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

  test("names the edge that serves it", () => {
    expect(openApi.servers).toEqual([{ url: "https://edge.example" }]);
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

test("the AsyncAPI document has every schema that it refers to, and names the edge that serves it", () => {
  const document = asyncApiDocument("http://127.0.0.1:4040") as { servers: object };
  expect(document.servers).toMatchObject({ edge: { host: "127.0.0.1:4040", protocol: "http" } });
  const refs = references(document);
  expect(refs.length).toBeGreaterThan(50);
  for (const ref of refs) expect([ref, resolve(document, ref)]).toEqual([ref, expect.anything()]);
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
