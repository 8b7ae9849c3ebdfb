import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterEach, expect, test } from "@jest/globals";
import type { Call, Transcoder } from "../src/index.ts";
import { harness, message } from "./transcoder-fixture.ts";

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    const closed = once(server, "close");
    server.close();
    server.closeAllConnections();
    await closed;
  }
});

/** Serves a transcoder as the README shows it, on a free port of the loopback address. */
async function listen(transcoder: Transcoder): Promise<string> {
  const server = createServer((request, response) => {
    const controller = new AbortController();
    response.on("close", () => controller.abort());
    const { method = "GET", url: target = "/", headers } = request;
    void transcoder
      .handle({ method, target, headers, body: request, signal: controller.signal })
      .then(async (answer) => {
        response.writeHead(answer.status, answer.headers);
        response.flushHeaders();
        await pipeline(Readable.from(answer.body), response);
      })
      .catch(() => response.destroy());
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("B1: over node:http, a body past the limit gets its 413, and the next request is served", async () => {
  const base = await listen(harness(undefined, { limits: { bodyBytes: 1_000 } }).transcoder);
  const post = (body: string) =>
    fetch(`${base}/v1/everything`, { method: "POST", body, headers: { "content-type": "application/json" } });
  const refused = await post(JSON.stringify({ text: "a".repeat(100_000) }));
  expect([refused.status, refused.headers.get("content-type")]).toEqual([413, "application/problem+json"]);
  await refused.text();
  expect((await post('{"text":"a"}')).status).toBe(200);
});

test("S1: over node:http, a client that leaves an event stream aborts the call", async () => {
  const aborted = Promise.withResolvers<void>();
  const call: Call = async function* call(_method, _requests, { signal }) {
    signal.addEventListener("abort", () => aborted.resolve());
    yield message("transcoder.test.v1.Book", { title: "a" });
    await aborted.promise;
  };
  const base = await listen(harness(undefined, { call }).transcoder);
  const client = new AbortController();
  const headers = { accept: "text/event-stream" };
  const response = await fetch(`${base}/v1/shelves/1/books:titles`, { headers, signal: client.signal });
  const reader = response.body?.getReader();
  const first = await reader?.read();
  expect(new TextDecoder().decode(first?.value)).toBe('data: "a"\n\n');
  client.abort();
  await aborted.promise;
});
