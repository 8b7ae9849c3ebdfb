import { describe, expect, test } from "@jest/globals";
import { ask, bytesOf, fieldsOf, harness } from "./transcoder-fixture.ts";

const { transcoder, seen, lastRequest } = harness();

const post = (body: string | Uint8Array, headers: Record<string, string> = {}) =>
  ask(transcoder, "POST /v1/everything", { body, headers });

describe("B1: a JSON body becomes the message, or the field that the rule names", () => {
  const good: readonly (readonly [line: string, body: string, request: object])[] = [
    ["POST /v1/everything", "", {}],
    ["POST /v1/everything", "{}", {}],
    ["POST /v1/everything", ' \n{ "text" : "a" }\t', { text: "a" }],
    ["POST /v1/everything", '{"maybe_text":"a"}', { maybeText: "a" }],
    ["POST /v1/everything", '{"text":null,"nested":null,"numbers":null,"labels":null}', {}],
    ["POST /v1/everything", '{"value":null}', { value: null }],
    ["POST /v1/everything", '{"values":[null,1]}', { values: [null, 1] }],
    ["POST /v1/everything", '{"chosenText":null,"chosenInt32":1}', { chosenInt32: 1 }],
    ["POST /v1/everything", '{"chosenText":"a","chosenNested":null}', { chosenText: "a" }],
    ["POST /v1/everything", '{"int64":9007199254740993}', { int64: "9007199254740993" }],
    ["POST /v1/everything", '{"int64":"1e3","uint64":1.0e1}', { int64: "1000", uint64: "10" }],
    ["POST /v1/everything", '{"wrappedInt64":9223372036854775807}', { wrappedInt64: "9223372036854775807" }],
    ["POST /v1/everything", '{"double":0.1234567890123456789}', { double: 0.12345678901234568 }],
    ["POST /v1/everything", '{"kind":77,"kinds":["NOVEL",2]}', { kind: 77, kinds: ["NOVEL", "ESSAY"] }],
    [
      "POST /v1/everything",
      '{"labels":{"__proto__":"a","constructor":"b"}}',
      { labels: JSON.parse('{"__proto__":"a","constructor":"b"}') },
    ],
    [
      "POST /v1/everything",
      '{"struct":{"__proto__":{"a":1}}}',
      { struct: JSON.parse('{"__proto__":{"a":1}}') },
    ],
    [
      "POST /v1/everything",
      '{"authors":{"-7":{"givenName":"a"}},"flags":{"true":"5"}}',
      { authors: { "-7": { givenName: "a" } }, flags: { true: "5" } },
    ],
    ["POST /v1/everything", '{"text":"\\ud83d\\ude00 \\"\\\\"}', { text: '😀 "\\' }],
    [
      "POST /v1/everything",
      '{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s"}}',
      { any: { "@type": "type.googleapis.com/google.protobuf.Duration", value: "1s" } },
    ],
    [
      "POST /v1/everything",
      '{"any":{"@type":"x/transcoder.test.v1.Nested","left":null,"right":"a","big":9007199254740993}}',
      {
        any: {
          "@type": "type.googleapis.com/transcoder.test.v1.Nested",
          right: "a",
          big: "9007199254740993",
        },
      },
    ],
    ["POST /v1/shelves/1/books", '{"title":"a"}', { parent: "shelves/1", book: { title: "a" } }],
    ["POST /v1/shelves/1/books", "", { parent: "shelves/1" }],
    ["POST /v1/shelves/1/books", "null", { parent: "shelves/1" }],
    ["POST /v1/shelves/1/books?book_id=b", "{}", { parent: "shelves/1", book: {}, bookId: "b" }],
    ["POST /v1/titles", '["a","b"]', { titles: ["a", "b"] }],
    ["POST /v1/titles?count=5", "[]", { count: "5" }],
    ["POST /v1/count", "9007199254740993", { count: "9007199254740993" }],
    ["POST /v1/count", '"7"', { count: "7" }],
    ["POST /v1/labels", '{"a":1}', { labels: { a: 1 } }],
    [
      "PUT /v1/shelves/1/books/2",
      '{"name":"shelves/9/books/9","title":"a"}',
      { name: "shelves/1/books/2", title: "a" },
    ],
    [
      "PATCH /v1/shelves/1/books/2?updateMask=title",
      '{"name":"evil","title":"a"}',
      { book: { name: "shelves/1/books/2", title: "a" }, updateMask: "title" },
    ],
    ["POST /v1/shelves/1/books/2:touch", "{}", { name: "shelves/1/books/2" }],
  ];
  test.each(good)("%s %s", async (line, body, request) => {
    expect(await ask(transcoder, line, { body })).toMatchObject({ status: 200 });
    expect(lastRequest()).toEqual(request);
  });
});

describe("B1: what does not fit is 400 and named by its path", () => {
  const bad: readonly (readonly [body: string, field: string])[] = [
    ['{"unknown":1}', "unknown"],
    ['{"nested":{"unknown":1}}', "nested.unknown"],
    ['{"children":[{},{"deeper":{"text":5}}]}', "children[1].deeper.text"],
    ['{"children":[null]}', "children[0]"],
    ['{"children":{}}', "children"],
    ['{"numbers":5}', "numbers"],
    ['{"numbers":[1,"x"]}', "numbers[1]"],
    ['{"numbers":[1,null]}', "numbers[1]"],
    ['{"labels":[]}', "labels"],
    ['{"labels":{"x":1}}', 'labels["x"]'],
    ['{"labels":{"x":null}}', 'labels["x"]'],
    ['{"labels":{"a\\"b":1}}', 'labels["a\\"b"]'],
    ['{"authors":{"x":{}}}', 'authors["x"]'],
    ['{"authors":{"1":{"given":1}}}', 'authors["1"].given'],
    ['{"flags":{"yes":1}}', 'flags["yes"]'],
    ['{"text":5}', "text"],
    ['{"text":{}}', "text"],
    ['{"maybe_text":5}', "maybeText"],
    ['{"int32":"x"}', "int32"],
    ['{"int32":1.5}', "int32"],
    ['{"int32":2147483648}', "int32"],
    ['{"int32":1e400}', "int32"],
    ['{"int32":1.00000000000000000001}', "int32"],
    ['{"int32":"0x10"}', "int32"],
    ['{"int32":" 1"}', "int32"],
    ['{"int32":true}', "int32"],
    ['{"uint32":-1}', "uint32"],
    ['{"int64":9223372036854775808}', "int64"],
    ['{"int64":1.5}', "int64"],
    ['{"int64":"0x10"}', "int64"],
    ['{"uint64":"18446744073709551616"}', "uint64"],
    ['{"double":1e400}', "double"],
    ['{"double":"1e400"}', "double"],
    ['{"double":"0x10"}', "double"],
    ['{"float":3.5e38}', "float"],
    ['{"flag":"true"}', "flag"],
    ['{"flag":1}', "flag"],
    ['{"data":"a"}', "data"],
    ['{"data":"YQ =="}', "data"],
    ['{"data":5}', "data"],
    ['{"kind":"novel"}', "kind"],
    ['{"kind":"1"}', "kind"],
    ['{"kind":1.5}', "kind"],
    ['{"kind":true}', "kind"],
    ['{"kinds":["NOVEL","NO"]}', "kinds[1]"],
    ['{"time":"2026-02-30T00:00:00Z"}', "time"],
    ['{"time":5}', "time"],
    ['{"times":["2026-01-01T00:00:00Z","x"]}', "times[1]"],
    ['{"duration":"1sec"}', "duration"],
    ['{"duration":"1.0000000000s"}', "duration"],
    ['{"duration":"315576000001s"}', "duration"],
    ['{"mask":"a_b"}', "mask"],
    ['{"struct":[]}', "struct"],
    ['{"list":{}}', "list"],
    ['{"value":{"a":[1,9007199254740993]}}', "value.a[1]"],
    ['{"value":1e400}', "value"],
    ['{"struct":{"a b":{"c":0.1234567890123456789012}}}', 'struct["a b"].c'],
    ['{"values":[1,1e-400]}', "values[1]"],
    ['{"wrappedInt64":"x"}', "wrappedInt64"],
    ['{"wrappedText":5}', "wrappedText"],
    ['{"any":{"text":"a"}}', 'any["@type"]'],
    ['{"any":{"@type":"type.googleapis.com/no.Such"}}', 'any["@type"]'],
    ['{"any":{"@type":"type.googleapis.com/transcoder.test.v1.Nested","big":"x"}}', "any.big"],
    ['{"any":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"x"}}', "any.value"],
    ['{"chosenText":"a","chosenInt32":1}', "chosenInt32"],
    ['{"maybeText":"a","maybe_text":"b"}', "maybeText"],
    ['{"text":"a","text":"b"}', "text"],
    ['{"nested":{"text":"a","te\\u0078t":"b"}}', "nested.text"],
    ['{"children":[{"text":"a"},{"text":"a","text":"b"}]}', "children[1].text"],
    ['{"text":"\\ud800"}', "text"],
    ['{"struct":{"\\udc00":1}}', 'struct["\\udc00"]'],
    ['{"__proto__":{"text":"a"}}', "__proto__"],
    ['{"constructor":1}', "constructor"],
  ];
  test.each(bad)("%s", async (body, field) => {
    const before = seen.length;
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual([field]);
    expect(seen).toHaveLength(before);
  });

  test("the path of a body field begins with that field", async () => {
    const answer = await ask(transcoder, "POST /v1/shelves/1/books", { body: '{"author":{"givenName":5}}' });
    expect(fieldsOf(answer)).toEqual(["book.author.givenName"]);
    expect(fieldsOf(await ask(transcoder, "POST /v1/titles", { body: '["a",5]' }))).toEqual(["titles[1]"]);
    expect(fieldsOf(await ask(transcoder, "POST /v1/labels", { body: '{"a":1,"a":2}' }))).toEqual([
      "labels.a",
    ]);
  });

  test("at most twenty fields are named", async () => {
    const body = JSON.stringify({ numbers: Array.from({ length: 100 }, () => "x") });
    expect(fieldsOf(await post(body))).toHaveLength(20);
  });
});

describe("B1: a body that is no JSON is 400", () => {
  const bad = [
    "{",
    "}",
    '{"a"}',
    "{'a':1}",
    '{"text":"a",}',
    "[1,]",
    "nul",
    "NaN",
    "01",
    "{} {}",
    '{"text":"\u0001"}',
    "\ufeff{}",
    " ",
    '"',
    "// a\n{}",
    "[",
    "5",
    "null",
    '"text"',
    "[]",
  ];
  test.each(bad)("%j", async (body) => {
    expect(await post(body)).toMatchObject({ status: 400, json: { code: "INVALID_ARGUMENT" } });
  });

  test("a body that has both a length and chunks", async () => {
    const headers = { "content-length": "2", "transfer-encoding": "chunked" };
    expect(await post("{}", headers)).toMatchObject({ status: 400 });
  });

  test("bytes that are not UTF-8", async () => {
    expect(await post(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]))).toMatchObject({ status: 400 });
  });

  test("a body where the route takes none", async () => {
    const answer = await ask(transcoder, "POST /v1/shelves/1/books/2:touch", { body: '{"reason":"a"}' });
    expect(answer).toMatchObject({ status: 400 });
  });
});

describe("B1: a body in another encoding is 415", () => {
  const bad: readonly Record<string, string>[] = [
    { "content-type": "text/plain" },
    { "content-type": "application/x-www-form-urlencoded" },
    { "content-type": "application/json; charset=iso-8859-1" },
    { "content-type": "application/jsonp" },
    { "content-type": "" },
    { "content-encoding": "gzip" },
    { "content-encoding": "identity, gzip" },
  ];
  test.each(bad)("%j", async (headers) => {
    expect(await post("{}", headers)).toMatchObject({
      status: 415,
      json: { status: 415, reason: "UNSUPPORTED_MEDIA_TYPE" },
    });
  });

  const good: readonly Record<string, string>[] = [
    { "content-type": "application/json; charset=UTF-8" },
    { "content-type": "Application/JSON" },
    { "content-type": "application/merge-patch+json" },
    { "content-encoding": "identity" },
  ];
  test.each(good)("%j is taken", async (headers) => {
    expect(await post("{}", headers)).toMatchObject({ status: 200 });
  });

  test("a body without a content type counts as JSON", async () => {
    const request = {
      method: "POST",
      target: "/v1/everything",
      headers: {},
      body: bytesOf('{"text"', ':"a"}'),
    };
    expect(await transcoder.handle(request)).toMatchObject({ status: 200 });
    expect(lastRequest()).toEqual({ text: "a" });
  });
});

describe("B1: limits hold on both sides", () => {
  const limited = harness(undefined, {
    limits: { bodyBytes: 40, jsonDepth: 3, jsonKeys: 4, jsonValues: 9, targetBytes: 60, headerBytes: 60 },
    bodyLimitBytes: ({ name }) => (name === "SetTitles" ? 100 : undefined),
  }).transcoder;
  const text = (bytes: number) => `{"text":"${"a".repeat(bytes - 11)}"}`;
  const rows: readonly (readonly [
    what: string,
    line: string,
    body: string,
    headers: Record<string, string>,
    status: number,
  ])[] = [
    ["a body of 40 bytes", "POST /v1/everything", text(40), {}, 200],
    ["a body of 41 bytes", "POST /v1/everything", text(41), {}, 413],
    ["a body announced with 41 bytes", "POST /v1/everything", "{}", { "content-length": "41" }, 413],
    ["100 bytes for an RPC with a limit of its own", "POST /v1/titles", `["${"a".repeat(96)}"]`, {}, 200],
    ["101 bytes for an RPC with a limit of its own", "POST /v1/titles", `["${"a".repeat(97)}"]`, {}, 413],
    ["three levels", "POST /v1/everything", '{"value":[[]]}', {}, 200],
    ["four levels", "POST /v1/everything", '{"value":[[[]]]}', {}, 400],
    ["brackets in a string", "POST /v1/everything", '{"text":"[[[[{{{{"}', {}, 200],
    ["four keys", "POST /v1/everything", '{"value":{"a":1,"b":2,"c":3}}', {}, 200],
    ["five keys", "POST /v1/everything", '{"value":{"a":1,"b":2,"c":3,"d":4}}', {}, 400],
    ["nine commas and brackets", "POST /v1/everything", '{"value":[1,1,1,1,1,1,1,"[,"]}', {}, 200],
    ["ten commas and brackets", "POST /v1/everything", '{"value":[1,1,1,1,1,1,1,1,1]}', {}, 400],
    ["a target of 60 bytes", `GET /v1/isbn/${"a".repeat(51)}`, "", {}, 200],
    ["a target of 61 bytes", `GET /v1/isbn/${"a".repeat(52)}`, "", {}, 414],
    ["headers of 60 bytes", "POST /v1/everything", "{}", { a: "a".repeat(31) }, 200],
    ["headers of 61 bytes", "POST /v1/everything", "{}", { a: "a".repeat(32) }, 431],
  ];
  test.each(rows)("%s", async (_what, line, body, headers, status) => {
    expect(await ask(limited, line, { body: body === "" ? undefined : body, headers })).toMatchObject({
      status,
    });
  });

  test("a body past the limit is not read to its end, and its reader is not closed", async () => {
    let [read, closed] = [0, false];
    async function* endless() {
      try {
        for (;;) {
          read += 1;
          yield new Uint8Array(30);
        }
      } finally {
        closed = true;
      }
    }
    const request = { method: "POST", target: "/v1/everything", headers: {}, body: endless() };
    expect(await limited.handle(request)).toMatchObject({ status: 413 });
    expect([read, closed]).toEqual([2, false]);
  });

  const hostile: readonly (readonly [what: string, body: string, status: number])[] = [
    ["a number with zeros inside", `{"value":1${"0".repeat(200_000)}1}`, 400],
    ["a number with zeros behind", `{"value":0.1${"0".repeat(200_000)}}`, 200],
    ["a number with zeros inside, as text", `{"int64":"1.${"0".repeat(200_000)}1"}`, 400],
    ["an exponent without end", `{"int64":1e${"9".repeat(200_000)}}`, 400],
    ["padding inside base64", `{"data":"${"=".repeat(200_000)}a"}`, 400],
    ["backslashes without end", `{"text":"${"\\\\".repeat(50_000)}"}`, 200],
    ["quotes without end", `{"text":"${'\\"'.repeat(50_000)}`, 400],
  ];
  test.each(hostile)("%s takes no longer than its length", async (_what, body, status) => {
    const begun = performance.now();
    expect(await ask(transcoder, "POST /v1/everything", { body })).toMatchObject({ status });
    expect(performance.now() - begun).toBeLessThan(1_000);
  });

  test("deep JSON of any size is refused, not a crash", async () => {
    const deep = harness(undefined, { limits: { bodyBytes: 4_000_000 } }).transcoder;
    const body = `{"value":${"[".repeat(1_000_000)}`;
    expect(await ask(deep, "POST /v1/everything", { body })).toMatchObject({ status: 400 });
  });
});
