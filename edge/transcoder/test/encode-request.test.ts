import { equals } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { encodeRequest } from "../src/index.ts";
import { random } from "./random.ts";
import { bytesOf, harness, message, methodNamed, registry } from "./transcoder-fixture.ts";

const T = "transcoder.test.v1";

function encode(rpc: string, fields: Record<string, unknown>) {
  const method = methodNamed(`${T}.${rpc}`);
  const { body, ...request } = encodeRequest(method, message(method.input.typeName, fields), { registry });
  return { ...request, body: body === undefined ? undefined : new TextDecoder().decode(body) };
}

describe("C1: a message becomes the request of the first binding that fits", () => {
  const rows: readonly (readonly [
    rpc: string,
    fields: Record<string, unknown>,
    line: string,
    body?: string,
  ])[] = [
    ["Library.GetBook", { name: "shelves/1/books/2" }, "GET /v1/shelves/1/books/2"],
    ["Library.GetBook", { name: "shelves/1/books/2", isbn: "7" }, "GET /v1/shelves/1/books/2?isbn=7"],
    ["Library.GetBook", { name: "other", isbn: "7" }, "GET /v1/isbn/7?name=other"],
    ["Library.GetBook", { isbn: "a/b ☺%2F:x*" }, "GET /v1/isbn/a%2Fb%20%E2%98%BA%252F%3Ax%2A"],
    ["Library.GetBook", { name: "shelves/a b/books/%2F" }, "GET /v1/shelves/a%20b/books/%252F"],
    ["Library.GetBook", { isbn: "-_.~0aZ" }, "GET /v1/isbn/-_.~0aZ"],
    ["Library.GetBook", { isbn: "7", reason: "a b&c=d+é" }, "GET /v1/isbn/7?reason=a%20b%26c%3Dd%2B%C3%A9"],
    [
      "Library.CreateBook",
      { parent: "shelves/1", bookId: "x", book: message(`${T}.Book`, { title: "a" }) },
      "POST /v1/shelves/1/books?bookId=x",
      '{"title":"a"}',
    ],
    ["Library.CreateBook", { parent: "shelves/1" }, "POST /v1/shelves/1/books"],
    [
      "Library.CreateBook",
      { parent: "shelves/1", book: message(`${T}.Book`) },
      "POST /v1/shelves/1/books",
      "{}",
    ],
    [
      "Library.ReplaceBook",
      { name: "shelves/1/books/2", title: "a" },
      "PUT /v1/shelves/1/books/2",
      '{"title":"a"}',
    ],
    ["Library.CancelBook", { name: "shelves/1/books/2" }, "POST /v1/shelves/1/books/2:cancel", "{}"],
    ["Library.HeadBook", { name: "shelves/1/books/2" }, "HEAD /v1/shelves/1/books/2"],
    ["Library.AnyMethod", { name: "a/b" }, "GET /v1/any/a/b"],
    ["Library.SetTitles", { titles: ["a"], count: 5n }, "POST /v1/titles?count=5", '["a"]'],
    [
      "Library.Everything",
      { kind: 2, numbers: [1, 2], maybeInt32: 0 },
      "GET /v1/everything?kind=ESSAY&maybeInt32=0&numbers=1&numbers=2",
    ],
    ["Library.Everything", { labels: { a: "b" } }, "POST /v1/everything", '{"labels":{"a":"b"}}'],
    ["Precedence.Under", { x: "under" }, "GET /q/under"],
    ["Precedence.Under", { x: "under/a/b" }, "GET /q/under/a/b"],
    ["Precedence.Encoded", { x: "a" }, "GET /enc%20oded/a%2Fb/a:do%2C"],
  ];
  test.each(rows)("%s %j", (rpc, fields, line, ...[body]) => {
    const request = encode(rpc, fields);
    expect(`${request.method} ${request.target}`).toBe(line);
    expect(request.body).toBe(body);
    expect(request.headers["content-type"]).toBe(body === undefined ? undefined : "application/json");
  });
});

test("C1: an HttpBody is the body as it is, with its own content type", () => {
  const content = message("google.api.HttpBody", {
    contentType: "text/css",
    data: new TextEncoder().encode("a{}"),
  });
  const upload = encode("Library.UploadCover", { name: "shelves/1", content });
  expect(upload).toMatchObject({ method: "PUT", target: "/v1/shelves/1/cover", body: "a{}" });
  expect(upload.headers["content-type"]).toBe("text/css");
  expect(encode("Library.UploadCover", { name: "shelves/1" }).body).toBeUndefined();
  expect(encode("Library.Echo", { contentType: "", data: new Uint8Array([120]) })).toMatchObject({
    body: "x",
  });
});

describe("C1: a message that fits no binding is refused", () => {
  const rows: readonly (readonly [rpc: string, fields: Record<string, unknown>, reason: RegExp])[] = [
    ["Library.GetBook", {}, /no HTTP binding/],
    ["Library.GetBook", { name: "shelves/1" }, /no HTTP binding/],
    ["Library.GetBook", { name: "shelves//books/2" }, /no HTTP binding/],
    ["Library.GetBook", { name: "shelves/1/books/2/3" }, /no HTTP binding/],
    ["Library.GetBook", { name: "Shelves/1/books/2" }, /no HTTP binding/],
    ["Library.GetBook", { name: "shelves/../books/2" }, /"\.\."/],
    ["Library.GetBook", { isbn: "." }, /"\."/],
    ["Library.GetBook", { isbn: ".." }, /"\."/],
    ["Library.DeleteBook", { isbn: "7" }, /no HTTP binding/],
    ["Library.AnyMethod", { name: "" }, /no HTTP binding/],
    ["Library.Unserved", { name: "a" }, /no HTTP binding/],
    ["Library.ImportBooks", { parent: "shelves/1" }, /stream/],
  ];
  test.each(rows)("%s %j", (rpc, fields, reason) => {
    expect(() => encode(rpc, fields)).toThrow(reason);
  });
});

test("C1: an unset field in the path is written as its zero value", () => {
  const method = methodNamed("google.showcase.v1beta1.Compliance.RepeatDataSimplePath");
  const info = message("google.showcase.v1beta1.ComplianceData", { fString: "x" });
  const { target } = encodeRequest(method, message(method.input.typeName, { info }));
  expect(target).toBe("/v1beta1/repeat/x/0/0/false/LIFE_KINGDOM_UNSPECIFIED:simplepath");
});

const TEXTS = ["a", "a/b", "%2F", "+ &=?#", "☺\u0000\n", "..x", ":go", "__proto__", "é%", "{}[]", "0"];

function randomFields(pick: (below: number) => number): Record<string, unknown> {
  const text = () => TEXTS[pick(TEXTS.length)];
  const fields: Record<string, () => unknown> = {
    double: () => [1e300, -0.1, Number.NEGATIVE_INFINITY, 5e-324][pick(4)],
    float: () => Math.fround(pick(1000) / 7),
    int32: () => pick(2 ** 31) - 2 ** 30,
    int64: () => BigInt(pick(2 ** 31)) * 4294967311n - 2n ** 62n,
    uint64: () => 2n ** 64n - 1n - BigInt(pick(1000)),
    flag: () => pick(2) === 1,
    text,
    data: () => new Uint8Array([pick(256), pick(256), pick(256)].slice(pick(3))),
    kind: () => pick(5),
    maybeInt32: () => pick(2),
    maybeText: () => ["", "x"][pick(2)],
    numbers: () => [pick(9), pick(9)],
    times: () => [
      message("google.protobuf.Timestamp", { seconds: BigInt(pick(2 ** 31)), nanos: pick(2) * 5 }),
    ],
    duration: () =>
      message("google.protobuf.Duration", { seconds: BigInt(pick(999)), nanos: pick(2) * 1000 }),
    nested: () =>
      message(`${T}.Nested`, { text: text(), deeper: message(`${T}.Nested`, { big: BigInt(pick(99) + 1) }) }),
    wrappedInt64: () => BigInt(pick(3)),
    wrappedText: text,
    choice: () =>
      [
        { case: "chosenText", value: text() },
        { case: "chosenInt32", value: pick(2) },
      ][pick(2)],
    labels: () => ({ [String(text())]: String(text()) }),
    children: () => [message(`${T}.Nested`, { text: text() })],
    struct: () => ({ a: [1, null, text()], b: { c: pick(100) } }),
  };
  const names = Object.keys(fields).filter(() => pick(4) === 0);
  return Object.fromEntries(names.map((name) => [name, fields[name]?.()]));
}

test("C1: random messages survive the way through a URL and a body", async () => {
  const method = methodNamed(`${T}.Library.Everything`);
  const { transcoder, seen } = harness();
  const used = new Set<string>();
  for (let seed = 1; seed <= 1_000; seed++) {
    const original = message(method.input.typeName, randomFields(random(seed)));
    const { body, ...request } = encodeRequest(method, original, { registry });
    used.add(request.method);
    const { status } = await transcoder.handle({
      ...request,
      body: bytesOf(...(body === undefined ? [] : [body])),
    });
    const [received] = seen.at(-1)?.requests ?? [];
    seen.length = 0;
    const same = received !== undefined && equals(method.input, received, original);
    expect({ seed, status, same, target: request.target }).toEqual({
      seed,
      status: 200,
      same: true,
      target: request.target,
    });
  }
  expect(used).toEqual(new Set(["GET", "POST"]));
});
