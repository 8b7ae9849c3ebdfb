import { describe, expect, test } from "@jest/globals";
import { ask, harness, methodNamed } from "./transcoder-fixture.ts";

const { transcoder, seen, lastRequest } = harness();

/** Which RPC a request reached, and with what. */
async function reached(line: string): Promise<readonly [rpc: string, request: unknown]> {
  const answer = await ask(transcoder, line);
  expect(answer).toMatchObject({ status: 200 });
  return [seen.at(-1)?.method.name ?? "", lastRequest()];
}

describe("P3, P5: a path reaches the most particular template", () => {
  const good: readonly (readonly [line: string, rpc: string, request: object])[] = [
    ["GET /p/a/b/c", "Literal", { x: "c" }],
    ["GET /p/a/z/c", "One", { x: "z" }],
    ["GET /p/a/z/d", "Rest", { x: "a/z/d" }],
    ["GET /p/a/b", "Rest", { x: "a/b" }],
    ["GET /p", "Rest", {}],
    ["GET /p/x:go", "RestVerb", { x: "x" }],
    ["GET /p/a/b/c:go", "RestVerb", { x: "a/b/c" }],
    ["GET /p/x:stop", "Rest", { x: "x:stop" }],
    ["GET /p/a/b:x/c", "One", { x: "b:x" }],
    ["POST /p/a/b/c", "Post", { x: "b" }],
    ["GET /q/under", "Under", { x: "under" }],
    ["GET /q/under/a/b", "Under", { x: "under/a/b" }],
    ["GET /several/a/1/b/2", "Several", { x: "a/1/b", y: "2" }],
    ["GET /v1/isbn/7:pause", "GetBook", { isbn: "7:pause" }],
    ["GET http://example.com/v1/isbn/7", "GetBook", { isbn: "7" }],
  ];
  test.each(good)("%s reaches %s", async (line, rpc, request) => {
    expect(await reached(line)).toEqual([rpc, request]);
  });
});

describe("P3: a path that fits no template is 404", () => {
  const bad = [
    "GET /",
    "GET /v1",
    "GET /v1/isbn",
    "GET /v1/isbn/",
    "GET /v1/isbn//7",
    "GET //v1/isbn/7",
    "GET /v1/isbn/7/",
    "GET /V1/isbn/7",
    "GET /v1/ISBN/7",
    "GET /p/",
    "GET /p/a//b",
    "GET /q",
    "GET /q/other",
    "GET /v1/shelves/1/books/2/3",
    "POST /v1/everything:go",
    "POST /v1/everything%3Ago",
    "GET /v1/shelves%2F1/books/2",
  ];
  test.each(bad)("%s", async (line) => {
    const before = seen.length;
    expect(await ask(transcoder, line)).toMatchObject({ status: 404, json: { code: "NOT_FOUND" } });
    expect(seen).toHaveLength(before);
  });
});

describe("P4: a path is decoded once, by the kind of its variable", () => {
  const good: readonly (readonly [line: string, request: object])[] = [
    ["GET /v1/isbn/a%2Fb", { isbn: "a/b" }],
    ["GET /v1/isbn/a%252Fb", { isbn: "a%2Fb" }],
    ["GET /v1/isbn/a+b%2Bc%20d", { isbn: "a+b+c d" }],
    ["GET /v1/isbn/%E2%98%BA", { isbn: "☺" }],
    ["GET /v1/%69sbn/7", { isbn: "7" }],
    ["GET /p/a%2fb/%2Fc%20", { x: "a%2fb/%2Fc " }],
    ["GET /v1/shelves/a%2Fb/books/c%3Ad", { name: "shelves/a%2Fb/books/c:d" }],
    ["GET /enc%20oded/a%2fb/x:do%2c", { x: "x" }],
  ];
  test.each(good)("%s", async (line, request) => {
    expect((await reached(line))[1]).toEqual(request);
  });

  const bad = [
    "/v1/isbn/%",
    "/v1/isbn/%1",
    "/v1/isbn/%zz",
    "/v1/isbn/%ff",
    "/v1/isbn/%c3%28",
    "/nowhere/%",
    "/p/x:%zz",
  ];
  test.each(bad)("%s has a bad escape and is 400", async (target) => {
    expect(await ask(transcoder, `GET ${target}`)).toMatchObject({ status: 400 });
  });

  test.each(["/v1/isbn/é", "/v1/isbn/a b", "/v1/isbn/a#b", "v1", "*"])(
    "the target %j is 400",
    async (target) => {
      expect(await ask(transcoder, `GET ${target}`)).toMatchObject({ status: 400 });
    },
  );
});

describe("P6: the HTTP method belongs to the route", () => {
  const wrong: readonly (readonly [line: string, allow: string])[] = [
    ["POST /v1/isbn/7", "GET"],
    ["HEAD /v1/isbn/7", "GET"],
    ["OPTIONS /v1/isbn/7", "GET"],
    ["get /v1/isbn/7", "GET"],
    ["POST /v1/shelves/1/books/2", "DELETE, GET, HEAD, PATCH, PUT"],
    ["GET /v1/titles", "POST"],
    ["DELETE /p/a/z/c", "GET, POST"],
  ];
  test.each(wrong)("%s is 405 and names the methods", async (line, allow) => {
    const answer = await ask(transcoder, line);
    expect(answer).toMatchObject({ status: 405, headers: { allow } });
  });

  test("HEAD reaches its own rule and has no body", async () => {
    const answer = await ask(transcoder, "HEAD /v1/shelves/1/books/2");
    expect(answer).toMatchObject({ status: 200, text: "" });
    expect(seen.at(-1)?.method.name).toBe("HeadBook");
  });

  test.each(["GET", "POST", "PURGE"])("a rule for any method takes %s", async (method) => {
    expect(await reached(`${method} /v1/any/a/b`)).toEqual(["AnyMethod", { name: "a/b" }]);
  });

  test("the routes are listed as the rules give them", () => {
    const route = transcoder.routes.find(({ template }) => template === "/v1/{parent=shelves/*}/bookArray");
    expect(route).toEqual({
      ...{ method: methodNamed("transcoder.test.v1.Library.ListBookArray"), httpMethod: "GET" },
      ...{ template: "/v1/{parent=shelves/*}/bookArray", body: "", responseBody: "books" },
    });
  });

  test("an RPC without a rule has no route", () => {
    expect(transcoder.routes.some(({ method }) => method.name === "Unserved")).toBe(false);
  });
});
