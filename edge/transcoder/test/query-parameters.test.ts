import { describe, expect, test } from "@jest/globals";
import { ask, fieldsOf, harness } from "./transcoder-fixture.ts";

const { transcoder, seen, lastRequest } = harness();

const everything = (query: string) => ask(transcoder, `GET /v1/everything?${query}`);

describe("Q1: a query parameter becomes the field it names", () => {
  const good: readonly (readonly [query: string, request: object])[] = [
    ["", {}],
    ["&&", {}],
    ["double=1.5&float=-0.5", { double: 1.5, float: -0.5 }],
    ["double=1.7976931348623157e%2B308", { double: 1.7976931348623157e308 }],
    ["double=NaN&float=-Infinity", { double: "NaN", float: "-Infinity" }],
    ["int32=-2147483648&uint32=4294967295", { int32: -2147483648, uint32: 4294967295 }],
    ["sint32=1&fixed32=2&sfixed32=3", { sint32: 1, fixed32: 2, sfixed32: 3 }],
    ["int64=9223372036854775807", { int64: "9223372036854775807" }],
    ["sfixed64=-9223372036854775808", { sfixed64: "-9223372036854775808" }],
    ["uint64=18446744073709551615", { uint64: "18446744073709551615" }],
    ["int32=1e3&int64=1.5e1", { int32: 1000, int64: "15" }],
    ["flag=true", { flag: true }],
    ["text=a+b%2Bc%26%3D%E2%98%BA", { text: "a b+c&=☺" }],
    ["text=a=b", { text: "a=b" }],
    ["maybeText=&maybe_int32=0", { maybeText: "", maybeInt32: 0 }],
    ["maybeText", { maybeText: "" }],
    ["data=-_-_", { data: "+/+/" }],
    ["data=%2B%2F%2B%2F", { data: "+/+/" }],
    ["data=YQ", { data: "YQ==" }],
    ["data=YQ==", { data: "YQ==" }],
    ["kind=NOVEL", { kind: "NOVEL" }],
    ["kind=2", { kind: "ESSAY" }],
    ["kind=77", { kind: 77 }],
    ["numbers=3&numbers=1&numbers=2", { numbers: [3, 1, 2] }],
    ["kinds=ESSAY&kinds=1", { kinds: ["ESSAY", "NOVEL"] }],
    ["times=2026-01-31T12:00:00Z", { times: ["2026-01-31T12:00:00Z"] }],
    ["nested.text=a&nested.deeper.big=5", { nested: { text: "a", deeper: { big: "5" } } }],
    ["nested%2Etext=a", { nested: { text: "a" } }],
    ["chosen_nested.text=a", { chosenNested: { text: "a" } }],
    ["time=2026-01-31T12:00:00.5%2B02:00", { time: "2026-01-31T10:00:00.500Z" }],
    ["duration=-1.5s", { duration: "-1.500s" }],
    ["mask=text,nested.deeper", { mask: "text,nested.deeper" }],
    ["mask=wrapped_text", { mask: "wrappedText" }],
    ["mask=*", { mask: "*" }],
    [
      "wrappedInt64=0&wrappedFlag=false&wrappedText=",
      { wrappedInt64: "0", wrappedFlag: false, wrappedText: "" },
    ],
    ["wrapped_data=YQ&wrappedDouble=NaN", { wrappedData: "YQ==", wrappedDouble: "NaN" }],
    ["nothing=NULL_VALUE", {}],
  ];
  test.each(good)("%s", async (query, request) => {
    expect(await everything(query)).toMatchObject({ status: 200 });
    expect(lastRequest()).toEqual(request);
  });

  test("a path variable of any primitive type is bound as exactly", async () => {
    await ask(transcoder, "GET /v1/by/9007199254740993/ESSAY/YQ/true/a%20b");
    const request = {
      int64: "9007199254740993",
      kind: "ESSAY",
      data: "YQ==",
      flag: true,
      nested: { text: "a b" },
    };
    expect(lastRequest()).toEqual(request);
  });
});

describe("Q2: a query parameter that does not fit is 400 and named", () => {
  const bad: readonly (readonly [query: string, field: string])[] = [
    ["int32=2147483648", "int32"],
    ["int32=-2147483649", "int32"],
    ["int32=1.5", "int32"],
    ["int32=0x10", "int32"],
    ["int32=01", "int32"],
    ["int32=%2B1", "int32"],
    ["int32=", "int32"],
    ["int32=+1", "int32"],
    ["int32=one", "int32"],
    ["uint32=-1", "uint32"],
    ["int64=9223372036854775808", "int64"],
    ["int64=1e999999999", "int64"],
    ["uint64=18446744073709551616", "uint64"],
    ["double=1e400", "double"],
    ["double=inf", "double"],
    ["double=", "double"],
    ["float=1e39", "float"],
    ["flag=1", "flag"],
    ["flag=TRUE", "flag"],
    ["flag", "flag"],
    ["data=a", "data"],
    ["data=a+/b", "data"],
    ["data=YQ=", "data"],
    ["data=-/-/", "data"],
    ["kind=novel", "kind"],
    ["kind=2147483648", "kind"],
    ["kind=", "kind"],
    ["numbers=1&numbers=x", "numbers"],
    ["time=2026-02-30T00:00:00Z", "time"],
    ["time=2026-01-01", "time"],
    ["time=2026-01-01T24:00:00Z", "time"],
    ["duration=1", "duration"],
    ["duration=1sec", "duration"],
    ["mask=a..b", "mask"],
    ["wrappedInt64=x", "wrappedInt64"],
    ["labels=a", "labels"],
    ["labels[a]=b", "labels[a]"],
    ["labels.a=b", "labels.a"],
    ["nested=a", "nested"],
    ["children.text=a", "children.text"],
    ["children=a", "children"],
    ["value=1", "value"],
    ["struct=%7B%7D", "struct"],
    ["list=1", "list"],
    ["any=a", "any"],
    ["time.seconds=5", "time.seconds"],
    ["wrappedText.value=a", "wrappedText.value"],
    ["text.length=1", "text.length"],
    ["unknown=1", "unknown"],
    ["nested.unknown=1", "nested.unknown"],
    ["=1", ""],
    ["nested.=1", "nested."],
    ["__proto__=1", "__proto__"],
    ["constructor.prototype=1", "constructor.prototype"],
    ["text=a&text=b", "text"],
    ["maybeText=a&maybe_text=b", "maybeText"],
    ["chosenText=a&chosenInt32=1", "chosenInt32"],
    ["chosenText=a&chosenNested.text=b", "chosenNested.text"],
    ["nested.left=a&nested.right=b", "nested.right"],
    ["text=%zz", ""],
    ["text=%ff", ""],
    [`nested${".deeper".repeat(40)}.text=a`, `nested${".deeper".repeat(40)}.text`],
  ];
  test.each(bad)("%s", async (query, field) => {
    const before = seen.length;
    const answer = await everything(query);
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual([field]);
    expect(seen).toHaveLength(before);
  });

  test("every parameter at fault is named", async () => {
    expect(fieldsOf(await everything("int32=x&text=a&nested.big=y&no=1"))).toEqual([
      "int32",
      "nested.big",
      "no",
    ]);
  });
});

describe("Q3: what the path or the body gives cannot come from the query", () => {
  const bad: readonly (readonly [line: string, body: string | undefined, field: string])[] = [
    ["GET /v1/isbn/7?isbn=8", undefined, "isbn"],
    ["GET /v1/isbn/7?isbn=7", undefined, "isbn"],
    ["POST /v1/shelves/1/books?parent=shelves/2", "{}", "parent"],
    ["POST /v1/shelves/1/books?book.title=a", "{}", "book.title"],
    ["POST /v1/shelves/1/books?book.title=a", undefined, "book.title"],
    ["POST /v1/everything?text=a", "{}", "text"],
    ["POST /v1/everything?unknown=a", "{}", "unknown"],
    ["PATCH /v1/shelves/1/books/2?book.pages=1", "{}", "book.pages"],
    ["POST /v1/choice?other=a", "{}", "other"],
    ["GET /v1/by/1/ESSAY/YQ/true/a?nested.text=b", undefined, "nested.text"],
  ];
  test.each(bad)("%s is 400", async (line, body, field) => {
    const answer = await ask(transcoder, line, { body });
    expect(answer.status).toBe(400);
    expect(fieldsOf(answer)).toEqual([field]);
  });

  test("a field beside the one in the path can come from the query", async () => {
    await ask(transcoder, "GET /v1/by/1/ESSAY/YQ/true/a?nested.big=5&text=t");
    expect(lastRequest()).toMatchObject({ nested: { text: "a", big: "5" }, text: "t" });
  });
});

test("Q2: a parameter on the list of allowed ones passes unread, also beside a body", async () => {
  const allowing = harness(undefined, { allowedQueryParameters: ["alt", "key"] });
  expect(await ask(allowing.transcoder, "GET /v1/isbn/7?alt=json&reason=r")).toMatchObject({ status: 200 });
  expect(allowing.lastRequest()).toEqual({ isbn: "7", reason: "r" });
  const answer = await ask(allowing.transcoder, "POST /v1/everything?key=1", { body: "{}" });
  expect(answer).toMatchObject({ status: 200 });
});

test("Q2: more query parameters than the limit are 400, exactly the limit is served", async () => {
  const limited = harness(undefined, { limits: { queryParameters: 3 } }).transcoder;
  expect(await ask(limited, "GET /v1/everything?numbers=1&numbers=2&numbers=3")).toMatchObject({
    status: 200,
  });
  expect(await ask(limited, "GET /v1/everything?numbers=1&numbers=2&numbers=3&numbers=4")).toMatchObject({
    status: 400,
  });
});
