import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "@jest/globals";
import type { UnaryCall } from "../src/index.ts";
import { ask, bytesOf, harness, message, readBody } from "./transcoder-fixture.ts";

const book = message("transcoder.test.v1.Book", { title: "ä" });

/** A transcoder whose unary RPCs go this way, and what reached them; streams go the other. */
function directly(answer: () => Message | Promise<Message>) {
  const requests: Message[] = [];
  const unary: UnaryCall = async (_method, request) => {
    requests.push(request);
    return answer();
  };
  return { ...harness(undefined, { unary }), requests };
}

describe("a call for one message each way", () => {
  test("takes the place of the call for streams, and answers the same bytes", async () => {
    const { transcoder, requests, seen } = directly(() => book);
    const answer = await ask(transcoder, "GET /v1/isbn/7");
    const usual = await ask(harness(() => [book]).transcoder, "GET /v1/isbn/7");
    expect([answer.status, answer.headers, answer.text]).toEqual([200, usual.headers, usual.text]);
    expect([requests.length, seen.length]).toEqual([1, 0]);
  });

  test("is not made for a client that has gone", async () => {
    const { transcoder, requests } = directly(() => book);
    const answer = await ask(transcoder, "GET /v1/isbn/7", { signal: AbortSignal.abort() });
    expect([answer.status >= 400, requests.length]).toEqual([true, 0]);
  });

  test.each([
    ["a refusal with its own status", new ConnectError("no such book", Code.NotFound), 404, "no such book"],
    ["anything else with 500 and no text of it", new Error("secret"), 500, "internal error"],
  ])("that fails is answered: %s", async (_what, failure, status, detail) => {
    const { transcoder } = directly(() => Promise.reject(failure));
    const answer = await ask(transcoder, "GET /v1/isbn/7");
    expect([answer.status, (answer.json as { detail: string }).detail]).toEqual([status, detail]);
    expect(answer.text).not.toContain("secret");
  });
});

test("an answer in JSON is there as text as well, of the length that its head says in bytes", async () => {
  const { transcoder } = directly(() => book);
  const request = { target: "/v1/isbn/7", headers: {}, body: bytesOf() };
  const answer = await transcoder.handle({ method: "GET", ...request });
  expect(answer.headers["content-length"]).toBe(String(Buffer.byteLength(answer.text ?? "")));
  expect(await readBody(answer.body)).toBe(answer.text);
  const headOnly = await transcoder.handle({ method: "HEAD", ...request });
  expect([headOnly.text, await readBody(headOnly.body)]).toEqual([undefined, ""]);
});
