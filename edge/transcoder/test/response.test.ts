import type { Message } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { ask, harness, message } from "./transcoder-fixture.ts";

const T = "transcoder.test.v1";
const book = (fields: Record<string, unknown> = {}) => message(`${T}.Book`, fields);
const list = (fields: Record<string, unknown> = {}) => message(`${T}.ListBooksResponse`, fields);

const answering = (answer: Message) => harness(() => [answer]).transcoder;

describe("R1: a response is ProtoJSON with its implicit defaults", () => {
  const empty = { name: "", title: "", pages: 0, tags: [], labels: {} };
  const full = list({ books: [book({ title: "a" })], total: 3, tags: { x: 1 }, first: book({ title: "b" }) });
  const rows: readonly (readonly [what: string, line: string, answer: Message, json: unknown])[] = [
    ["a message", "GET /v1/isbn/7", book(), empty],
    ["a presence field with zero", "GET /v1/isbn/7", book({ edition: 0 }), { ...empty, edition: 0 }],
    [
      "a timestamp",
      "GET /v1/isbn/7",
      book({ createTime: message("google.protobuf.Timestamp", { seconds: 0n }) }),
      { ...empty, createTime: "1970-01-01T00:00:00Z" },
    ],
    ["an empty message", "DELETE /v1/shelves/1/books/2", message("google.protobuf.Empty"), {}],
    ["a list as the response body", "GET /v1/shelves/1/bookArray", full, [{ ...empty, title: "a" }]],
    ["an empty list as the response body", "GET /v1/shelves/1/bookArray", list(), []],
    ["a number as the response body", "GET /v1/shelves/1/bookCount", full, 3],
    ["zero as the response body", "GET /v1/shelves/1/bookCount", list(), 0],
    ["a map as the response body", "GET /v1/shelves/1/tags", full, { x: 1 }],
    ["an empty map as the response body", "GET /v1/shelves/1/tags", list(), {}],
    ["a message as the response body", "GET /v1/shelves/1/firstBook", full, { ...empty, title: "b" }],
    ["an unset message as the response body", "GET /v1/shelves/1/firstBook", list(), empty],
    [
      "a map key named __proto__",
      "GET /v1/isbn/7",
      book({ labels: JSON.parse('{"__proto__":"a"}') }),
      { ...empty, labels: JSON.parse('{"__proto__":"a"}') },
    ],
  ];
  test.each(rows)("%s", async (_what, line, answer, json) => {
    const got = await ask(answering(answer), line);
    expect(got.json).toEqual(json);
    expect(got.status).toBe(200);
    expect(got.headers["content-type"]).toBe("application/json");
    expect(got.headers["content-length"]).toBe(String(Buffer.byteLength(got.text)));
  });

  test("an unknown enum number goes through in both directions", async () => {
    const { transcoder } = harness(({ requests }) => requests);
    const answer = await ask(transcoder, "GET /v1/everything?kind=77&kinds=78");
    expect(answer.json).toMatchObject({ kind: 77, kinds: [78] });
  });

  test("a message that has no JSON form is 500, and says nothing of its content", async () => {
    const any = message("google.protobuf.Any", {
      typeUrl: "type.googleapis.com/secret.Type",
      value: new Uint8Array(3),
    });
    const answer = await ask(answering(book({ extra: any })), "GET /v1/isbn/7");
    expect(answer).toMatchObject({ status: 500, json: { code: "INTERNAL" } });
    expect(answer.text).not.toContain("secret");
  });
});

describe("R1: status and headers of a success", () => {
  test("come from the hook, by method and message", async () => {
    const { transcoder } = harness(() => [book({ name: "b" })], {
      success: ({ name }, { $typeName }) => ({ status: 201, headers: { location: `/${name}/${$typeName}` } }),
    });
    const answer = await ask(transcoder, "POST /v1/shelves/1/books", { body: "{}" });
    expect(answer).toMatchObject({ status: 201, headers: { location: `/CreateBook/${T}.Book` } });
  });

  test("from the hook have lower-case names, and replace what they name", async () => {
    const headers = { "Content-Type": "application/vnd.book+json", ETag: '"1"' };
    const { transcoder } = harness(undefined, { success: () => ({ headers }) });
    const answer = await ask(transcoder, "GET /v1/isbn/7");
    expect(answer.headers).toEqual({
      "content-type": "application/vnd.book+json",
      etag: '"1"',
      "content-length": String(answer.text.length),
    });
  });

  test("204 has no body and no length", async () => {
    const { transcoder } = harness(undefined, { success: () => ({ status: 204 }) });
    const answer = await ask(transcoder, "GET /v1/isbn/7");
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(answer.headers).not.toHaveProperty("content-length");
  });

  test("headers and trailers of the call are passed on, those of its connection are not", async () => {
    const { transcoder } = harness(undefined, {
      call: async function* call(method, _requests, context) {
        context.onHeader(
          new Headers({ "x-a": "1", connection: "close", "grpc-status": "0", "content-length": "9" }),
        );
        const cookies = new Headers([
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ]);
        context.onHeader(cookies);
        context.onTrailer(new Headers({ "x-b": "2" }));
        yield message(method.output.typeName);
      },
    });
    const { headers } = await ask(transcoder, "GET /v1/isbn/7");
    expect(headers).toMatchObject({ "x-a": "1", "trailer-x-b": "2", "set-cookie": ["a=1", "b=2"] });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(["connection"]));
    expect(headers).not.toHaveProperty("grpc-status");
  });

  test("the call sees the request's headers, but not those of the connection and of the body", async () => {
    let given: Record<string, string> = {};
    const { transcoder } = harness(undefined, {
      call: async function* call(method, _requests, { headers }) {
        given = Object.fromEntries(headers);
        yield message(method.output.typeName);
      },
    });
    const headers = {
      "x-a": ["1", "2"],
      authorization: "Bearer k",
      connection: "close",
      te: "trailers",
      host: "h",
    };
    await ask(transcoder, "POST /v1/everything", { body: "{}", headers });
    expect(given).toEqual({ "x-a": "1, 2", authorization: "Bearer k" });
  });
});

describe("H1: HttpBody passes as it is", () => {
  const bytes = new Uint8Array([0, 255, 123]);
  const raw = (contentType: string, data: Uint8Array) =>
    message("google.api.HttpBody", { contentType, data });

  test("up as the whole request and down as the whole response", async () => {
    const { transcoder, seen } = harness(({ requests }) => requests);
    const headers = { "content-type": "image/png" };
    const answer = await transcoder.handle({
      ...{ method: "POST", target: "/v1/raw", headers },
      body: (async function* chunks() {
        yield bytes.subarray(0, 1);
        yield bytes.subarray(1);
      })(),
    });
    expect(seen[0]?.requests[0]).toMatchObject({ contentType: "image/png", data: bytes });
    expect(answer.headers["content-type"]).toBe("image/png");
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.body) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(Buffer.from(bytes));
  });

  test("is not parsed when it says it is JSON, nor refused when it is none", async () => {
    const { transcoder, seen } = harness();
    expect(await ask(transcoder, "POST /v1/raw", { body: '{"a":1,"a":' })).toMatchObject({ status: 200 });
    expect(seen[0]?.requests[0]).toMatchObject({ contentType: "application/json" });
  });

  test("up in a field, beside the path", async () => {
    const { transcoder, seen } = harness();
    await ask(transcoder, "PUT /v1/shelves/1/cover", {
      body: "abc",
      headers: { "content-type": "text/plain" },
    });
    const request = {
      name: "shelves/1",
      content: { contentType: "text/plain", data: new TextEncoder().encode("abc") },
    };
    expect(seen[0]?.requests[0]).toMatchObject(request);
  });

  test("past the limit is 413", async () => {
    const { transcoder } = harness(undefined, { limits: { bodyBytes: 3 } });
    expect(await ask(transcoder, "POST /v1/raw", { body: "abcd" })).toMatchObject({ status: 413 });
  });

  test("down from a field", async () => {
    const answer = message(`${T}.UploadRequest`, {
      content: raw("text/css", new TextEncoder().encode("a{}")),
    });
    const got = await ask(answering(answer), "GET /v1/shelves/1/cover");
    expect(got).toMatchObject({
      status: 200,
      text: "a{}",
      headers: { "content-type": "text/css", "content-length": "3" },
    });
  });

  test("down from a field that is not set is empty", async () => {
    expect(await ask(answering(message(`${T}.UploadRequest`)), "GET /v1/shelves/1/cover")).toMatchObject({
      status: 200,
      text: "",
    });
  });

  test("down as a stream is one body with the first content type", async () => {
    const text = (part: string) => new TextEncoder().encode(part);
    const { transcoder } = harness(() => [
      raw("text/csv", text("a,")),
      raw("text/html", text("b")),
      raw("", text("\n")),
    ]);
    const got = await ask(transcoder, "GET /v1/shelves/1/covers");
    expect(got).toMatchObject({ status: 200, text: "a,b\n", headers: { "content-type": "text/csv" } });
  });

  test("up as a stream is one message for each chunk, the content type in the first", async () => {
    const { transcoder, seen } = harness();
    const response = await transcoder.handle({
      ...{ method: "PUT", target: "/v1/shelves/1/covers", headers: { "content-type": "text/csv" } },
      body: (async function* chunks() {
        yield new TextEncoder().encode("a");
        yield new TextEncoder().encode("b");
      })(),
    });
    expect(response.status).toBe(200);
    expect(seen[0]?.requests).toMatchObject([
      { name: "shelves/1", content: { contentType: "text/csv", data: new TextEncoder().encode("a") } },
      { name: "shelves/1", content: { contentType: "", data: new TextEncoder().encode("b") } },
    ]);
  });
});
