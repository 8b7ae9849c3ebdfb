import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { create, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "@jest/globals";
import type { Call, TranscoderOptions } from "../src/index.ts";
import { MessageReader } from "../src/server-stream.ts";
import { ask, bytesOf, fieldsOf, harness, message, readBody } from "./transcoder-fixture.ts";

const T = "transcoder.test.v1";
const titled = (title: string) => message(`${T}.Book`, { title });

const WATCH = "GET /v1/shelves/1/books:watch";
const TITLES = "GET /v1/shelves/1/books:titles";

/** A transcoder whose call yields these books, then throws `error` if there is one. */
function streaming(titles: readonly string[], error?: unknown, options: Partial<TranscoderOptions> = {}) {
  const call: Call = async function* call() {
    for (const title of titles) yield titled(title);
    if (error !== undefined) throw error;
  };
  return harness(undefined, { call, ...options }).transcoder;
}

const sse = { accept: "text/event-stream" };
const ndjson = { accept: "application/x-ndjson" };

describe("S1: a stream is written as the client accepts it", () => {
  const rows: readonly (readonly [accept: string | undefined, text: string, contentType: string])[] = [
    [undefined, '["a","b"]', "application/json"],
    ["*/*", '["a","b"]', "application/json"],
    ["application/json", '["a","b"]', "application/json"],
    ["text/html", '["a","b"]', "application/json"],
    ["application/x-ndjson", '"a"\n"b"\n', "application/x-ndjson"],
    ["application/x-ndjson;q=0", '["a","b"]', "application/json"],
    ["application/json;q=0.1, application/x-ndjson", '"a"\n"b"\n', "application/x-ndjson"],
    ["application/json, application/x-ndjson", '["a","b"]', "application/json"],
    ["text/event-stream", 'data: "a"\n\ndata: "b"\n\n', "text/event-stream"],
    ["text/event-stream, */*", 'data: "a"\n\ndata: "b"\n\n', "text/event-stream"],
  ];
  test.each(rows)("Accept: %s", async (accept, text, contentType) => {
    const answer = await ask(streaming(["a", "b"]), TITLES, { headers: { accept } });
    expect(answer).toMatchObject({ status: 200, text, headers: { "content-type": contentType } });
  });

  test("a message without a response body is written whole", async () => {
    const answer = await ask(streaming(["a"]), WATCH, { headers: ndjson });
    expect(JSON.parse(answer.text)).toMatchObject({ title: "a", pages: 0 });
  });

  test.each([
    [undefined, "[]"],
    ["application/x-ndjson", ""],
    ["text/event-stream", ""],
  ])("an empty stream with Accept: %s", async (accept, text) => {
    expect(await ask(streaming([]), WATCH, { headers: { accept } })).toMatchObject({ status: 200, text });
  });

  test("a reconnection to an event stream that has nothing left is 204", async () => {
    const headers = { ...sse, "last-event-id": "7" };
    expect(await ask(streaming([]), WATCH, { headers })).toMatchObject({ status: 204, text: "" });
    expect(await ask(streaming(["a"]), WATCH, { headers })).toMatchObject({ status: 200 });
  });

  test("events have the id and name that the hook gives, unless they would break the stream", async () => {
    const hook = (_method: unknown, { title }: Message & { title?: string }) => ({
      id: `${title}1`,
      event: "x",
    });
    const transcoder = streaming(["a", "b\n"], undefined, { sse: hook });
    const answer = await ask(transcoder, TITLES, { headers: sse });
    expect(answer.text).toBe('id: a1\nevent: x\ndata: "a"\n\nevent: x\ndata: "b\\n"\n\n');
  });

  test("the success hook sees the first message", async () => {
    const success = (_method: unknown, { title }: Message & { title?: string }) => ({
      headers: { "x-first": title ?? "" },
    });
    const answer = await ask(streaming(["a", "b"], undefined, { success }), WATCH);
    expect(answer.headers).toMatchObject({ "x-first": "a" });
  });
});

describe("S1: a stream that fails", () => {
  const error = new ConnectError("why", Code.Unavailable);

  test.each([undefined, "application/x-ndjson", "text/event-stream"])(
    "before its first message is an ordinary error (Accept: %s)",
    async (accept) => {
      const answer = await ask(streaming([], error), WATCH, { headers: { accept } });
      expect(answer).toMatchObject({ status: 503, json: { code: "UNAVAILABLE" } });
      expect(answer.headers["content-type"]).toBe("application/problem+json");
    },
  );

  test("because its first message has no JSON is an ordinary error", async () => {
    const extra = message("google.protobuf.Any", { typeUrl: "type.googleapis.com/no.Such" });
    const closed = Promise.withResolvers<void>();
    const call: Call = async function* call() {
      try {
        yield message(`${T}.Book`, { extra });
      } finally {
        closed.resolve();
      }
    };
    expect(await ask(harness(undefined, { call }).transcoder, WATCH)).toMatchObject({ status: 500 });
    await closed.promise;
  });

  test("after it ends with one frame more", async () => {
    const lines = await ask(streaming(["a"], error), TITLES, { headers: ndjson });
    expect(lines.text).toMatch(/^"a"\n\{"error":\{.*"status":503.*\}\}\n$/);
    const events = await ask(streaming(["a"], error), TITLES, { headers: sse });
    expect(events.text).toMatch(
      /^data: "a"\n\nevent: error\ndata: \{"error":\{.*"code":"UNAVAILABLE".*\}\}\n\n$/,
    );
    const array = await ask(streaming(["a"], error), TITLES);
    expect(array.json).toMatchObject(["a", { error: { code: "UNAVAILABLE" } }]);
  });

  test("after it, with google.rpc.Status where the client takes no problem document", async () => {
    const answer = await ask(streaming(["a"], error), TITLES, { headers: { accept: "application/json" } });
    expect(answer.json).toMatchObject(["a", { error: { code: 14, message: "why" } }]);
  });

  test("after it, by something that is no ConnectError, keeps the text inside", async () => {
    const answer = await ask(streaming(["a"], new Error("hunter2")), TITLES, { headers: ndjson });
    expect(answer.text).toContain('"INTERNAL"');
    expect(answer.text).not.toContain("hunter2");
  });

  test("a broken request does not reach the call", async () => {
    const { transcoder, seen } = harness();
    expect(await ask(transcoder, `${WATCH}?pageSize=x`, { headers: sse })).toMatchObject({ status: 400 });
    expect(seen).toHaveLength(0);
  });
});

/** A call that waits for `go` between its messages, and notes that it was aborted or closed. */
function gated() {
  const gate = Promise.withResolvers<void>();
  const seen = { aborted: false, closed: false };
  const call: Call = async function* call(_method, _requests, { signal }) {
    signal.addEventListener("abort", () => {
      seen.aborted = true;
      gate.resolve();
    });
    try {
      yield titled("a");
      await gate.promise;
      yield titled("b");
    } finally {
      seen.closed = true;
    }
  };
  return { call, seen, go: gate.resolve };
}

describe("S1: a silent stream", () => {
  test("of events sends comments until the next message", async () => {
    const { call, go } = gated();
    const { transcoder } = harness(undefined, { call, limits: { keepAliveMs: 5 } });
    const response = await transcoder.handle({
      method: "GET",
      target: TITLES.slice(4),
      headers: sse,
      body: bytesOf(),
    });
    let text = "";
    for await (const chunk of response.body) {
      text += new TextDecoder().decode(chunk);
      if (text.endsWith(":\n\n:\n\n")) go();
    }
    expect(text).toMatch(/^data: "a"\n\n(:\n\n){2,}data: "b"\n\n$/);
  });

  test.each([sse, ndjson])("opens before its first message (%j)", async (headers) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const call: Call = async function* call() {
      await promise;
      yield titled("a");
    };
    const { transcoder } = harness(undefined, { call, limits: { streamOpenMs: 5 } });
    const response = await transcoder.handle({
      method: "GET",
      target: TITLES.slice(4),
      headers,
      body: bytesOf(),
    });
    expect(response.status).toBe(200);
    resolve();
    expect(await readBody(response.body)).toMatch(/"a"\n/);
  });
});

describe("S1: a reader that turns away", () => {
  test("aborts the call and closes it, also in the middle of a wait", async () => {
    const { call, seen } = gated();
    const { transcoder } = harness(undefined, { call });
    const response = await transcoder.handle({
      method: "GET",
      target: TITLES.slice(4),
      headers: sse,
      body: bytesOf(),
    });
    const reader = response.body[Symbol.asyncIterator]();
    await reader.next();
    const waiting = reader.next();
    await reader.return?.();
    await waiting;
    expect(seen).toEqual({ aborted: true, closed: true });
  });

  test("by its signal ends the body even if the call does not listen", async () => {
    const controller = new AbortController();
    const call: Call = async function* call() {
      yield titled("a");
      await new Promise(() => undefined);
    };
    const { transcoder } = harness(undefined, { call });
    const { signal } = controller;
    const request = { method: "GET", target: TITLES.slice(4), headers: ndjson, body: bytesOf(), signal };
    const response = await transcoder.handle(request);
    const text = readBody(response.body);
    controller.abort();
    expect(await text).toContain('"CANCELLED"');
  });
});

describe("S1: a client stream", () => {
  const IMPORT = "POST /v1/shelves/1/books:import";
  const two = [
    { parent: "shelves/1", book: { title: "a" } },
    { parent: "shelves/1", book: { title: "b" } },
  ];

  test.each([
    ["application/json", '[{"title":"a"},{"title":"b"}]'],
    ["application/json", ' [ {"title":"a"} ,\n{"title":"b"} ] '],
    ["application/x-ndjson", '{"title":"a"}\n{"title":"b"}\n'],
    ["application/x-ndjson", '\n{"title":"a"}\r\n\n{"title":"b"}'],
  ])("as %s %j reaches the call message by message, whatever the chunks", async (type, body) => {
    const { transcoder, seen } = harness();
    const chunks = [...new TextEncoder().encode(body)].map((byte) => new Uint8Array([byte]));
    const headers = { "content-type": type };
    for (const parts of [[body], chunks]) {
      const request = { method: "POST", target: IMPORT.slice(5), headers, body: bytesOf(...parts) };
      expect(await transcoder.handle(request)).toMatchObject({ status: 200 });
      expect(seen.at(-1)?.requests).toMatchObject(two);
    }
  });

  test.each(["", "[]", " [ ] "])("as %j is empty", async (body) => {
    const { transcoder, seen } = harness();
    expect(await ask(transcoder, IMPORT, { body })).toMatchObject({ status: 200 });
    expect(seen[0]?.requests).toEqual([]);
  });

  test("keeps brackets, quotes and commas inside an element together", async () => {
    const { transcoder, seen } = harness();
    await ask(transcoder, IMPORT, { body: '[{"title":"a]},\\"[","tags":["x","y"]}]' });
    expect(seen[0]?.requests).toMatchObject([{ book: { title: 'a]},"[', tags: ["x", "y"] } }]);
  });

  const bad = [
    "{}",
    "[{}",
    "[{},]",
    "[,]",
    "[{}]]",
    "[{}] x",
    "[{} {}]",
    "[1]",
    '[{"title":5}]',
    '[{"title":"a"},{"no":1}]',
    "5",
    "]",
  ];
  test.each(bad)("as %j is 400, whatever the call makes of it", async (body) => {
    const call: Call = async function* call(method, requests) {
      try {
        for await (const request of requests) void request;
      } catch {
        throw new ConnectError("my stream broke", Code.Internal);
      }
      yield create(method.output);
    };
    expect(await ask(harness(undefined, { call }).transcoder, IMPORT, { body })).toMatchObject({
      status: 400,
    });
  });

  test("names the field of the element at fault", async () => {
    const answer = await ask(harness().transcoder, IMPORT, {
      body: '[{"title":"a"},{"author":{"givenName":5}}]',
    });
    expect(fieldsOf(answer)).toEqual(["book.author.givenName"]);
  });

  test("has the size limit for each element", async () => {
    const { transcoder } = harness(undefined, { limits: { bodyBytes: 13 } });
    const row = '{"title":"a"}';
    expect(await ask(transcoder, IMPORT, { body: `[${row},${row},${row}]` })).toMatchObject({ status: 200 });
    expect(await ask(transcoder, IMPORT, { body: `[${row},{"title":"ab"}]` })).toMatchObject({ status: 413 });
    const headers = { "content-type": "application/x-ndjson" };
    expect(await ask(transcoder, IMPORT, { body: `${row}\n{"title":"ab"}`, headers })).toMatchObject({
      status: 413,
    });
  });

  test("with a path or a type that does not fit does not reach the call", async () => {
    const { transcoder, seen } = harness();
    expect(await ask(transcoder, `${IMPORT}?no=1`, { body: "[]" })).toMatchObject({ status: 400 });
    expect(
      await ask(transcoder, IMPORT, { body: "[]", headers: { "content-type": "text/plain" } }),
    ).toMatchObject({ status: 415 });
    expect(seen).toHaveLength(0);
  });
});

test("a stream holds none of the messages that it has handed on", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const kept: WeakRef<Message>[] = [];
  const messages = async function* () {
    for (;;) {
      const next = titled("a");
      kept.push(new WeakRef(next));
      yield next;
    }
  };
  const reader = new MessageReader(messages(), new AbortController().signal);
  for (let n = 0; n < 1_000; n += 1) await reader.next(15_000);
  // A weak reference is strong until the end of the turn in which it was looked at.
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  expect(kept.filter((one) => one.deref() !== undefined).length).toBeLessThan(10);
});
