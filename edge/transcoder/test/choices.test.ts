import { create } from "@bufbuild/protobuf";
import { expect, test } from "@jest/globals";
import { createTranscoder } from "../src/index.ts";
import { serviceWith } from "./service-factory.ts";
import { ask, fieldsOf, harness, message, registry } from "./transcoder-fixture.ts";

/** One test for each question that http.proto leaves open, or that implementations answer differently. */
const { transcoder, seen, lastRequest } = harness();
const get = (target: string, headers: Record<string, string> = {}) =>
  ask(transcoder, `GET ${target}`, { headers });

test("D1: an unknown query parameter is 400, and one whose name is allowed is not read", async () => {
  expect(fieldsOf(await get("/v1/isbn/7?color=red"))).toEqual(["color"]);
  const allowing = harness(undefined, { allowedQueryParameters: ["color"] });
  expect((await ask(allowing.transcoder, "GET /v1/isbn/7?color=red")).status).toBe(200);
  expect(allowing.lastRequest()).toEqual({ isbn: "7" });
});

test("D2: an unknown JSON field is 400, at any depth", async () => {
  const body = '{"text":"a","nested":{"color":"red"}}';
  const answer = await ask(transcoder, "POST /v1/everything", { body });
  expect([answer.status, fieldsOf(answer)]).toEqual([400, ["nested.color"]]);
});

test("D3: a verb that nobody declared is part of the variable before it", async () => {
  expect((await get("/v1/isbn/7:pause")).status).toBe(200);
  expect(lastRequest()).toEqual({ isbn: "7:pause" });
});

test("D4: the wrong method is 405 with the right ones in Allow", async () => {
  expect(await ask(transcoder, "DELETE /v1/everything")).toMatchObject({
    status: 405,
    headers: { allow: "GET, POST" },
  });
});

test("D5: a plus sign in the query is a space, in the path it is itself", async () => {
  await get("/v1/isbn/a+b?reason=c+d");
  expect(lastRequest()).toEqual({ isbn: "a+b", reason: "c d" });
});

test("D6: `**` takes no segment as well as several", async () => {
  expect((await get("/v1/any")).status).toBe(200);
  expect(lastRequest()).toEqual({});
  await get("/v1/any/a/b");
  expect(lastRequest()).toEqual({ name: "a/b" });
});

test.each([
  [
    "D7: `**` before the end of the path is refused at load",
    "/v1/{name=**}/x",
    "`**` has to be the last segment",
  ],
  [
    "D8: a variable in a variable is refused at load",
    "/v1/{name={title}/x}",
    "a variable cannot contain a variable",
  ],
])("%s", (_title, template, reason) => {
  const services = [serviceWith({ rule: { get: template } })];
  const call = () => {
    throw new Error("not called");
  };
  expect(() => createTranscoder({ registry, services, call })).toThrow(reason);
});

test("D9: a field that the path gives is 400 in the query, even with the same value", async () => {
  const before = seen.length;
  expect(fieldsOf(await get("/v1/isbn/7?isbn=evil"))).toEqual(["isbn"]);
  expect(fieldsOf(await get("/v1/isbn/7?isbn=7"))).toEqual(["isbn"]);
  expect(seen).toHaveLength(before);
});

test("D10: where the body is the message, a field of it in the query is 400", async () => {
  expect(fieldsOf(await ask(transcoder, "POST /v1/everything?text=a", { body: "{}" }))).toEqual(["text"]);
});

test("D11: a number that the enum does not name is kept", async () => {
  expect((await get("/v1/everything?kind=77")).status).toBe(200);
  expect(lastRequest()).toEqual({ kind: 77 });
});

test("D12: an entry of a map in the query is 400, in every notation", async () => {
  for (const name of ["labels[a]", "labels.a", "labels"]) {
    expect(fieldsOf(await get(`/v1/everything?${encodeURIComponent(name)}=b`))).toEqual([name]);
  }
});

test("D13: fields with their default value are written in responses, unless they have presence", async () => {
  const { json } = await ask(harness(({ method }) => [create(method.output)]).transcoder, "GET /v1/isbn/7");
  expect(json).toEqual({ name: "", title: "", pages: 0, tags: [], labels: {} });
});

test("D14: a server stream is events, lines or an array, by Accept", async () => {
  const books = [message("transcoder.test.v1.Book", { title: "a" })];
  const streaming = harness(() => books).transcoder;
  const line = "GET /v1/shelves/1/books:titles";
  const text = async (accept: string) => (await ask(streaming, line, { headers: { accept } })).text;
  expect(await text("text/event-stream")).toBe('data: "a"\n\n');
  expect(await text("application/x-ndjson")).toBe('"a"\n');
  expect(await text("application/json")).toBe('["a"]');
});

test("D15: an error is a problem document, and google.rpc.Status where only JSON is accepted", async () => {
  const type = ({ headers }: { headers: object }) => (headers as Record<string, unknown>)["content-type"];
  expect(type(await get("/v1/nowhere"))).toBe("application/problem+json");
  const status = await get("/v1/nowhere", { accept: "application/json" });
  expect(type(status)).toBe("application/json");
  expect(status.json).toMatchObject({ code: 5, details: [{ reason: "ROUTE_NOT_FOUND" }] });
});
