import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
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

test("B1: over node:http, a body of many chunks arrives whole, and one that breaks off reaches no call", async () => {
  const { transcoder, seen } = harness();
  const base = await listen(transcoder);
  const text = "x".repeat(200_000);
  const whole = await fetch(`${base}/v1/everything`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });
  expect([whole.status, ((await whole.json()) as { text: string }).text]).toEqual([200, ""]);
  expect((seen[0]?.requests[0] as { text?: string } | undefined)?.text).toBe(text);
  const socket = connect(Number(new URL(base).port), "127.0.0.1");
  socket.write("POST /v1/everything HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{");
  await once(socket, "connect");
  socket.destroy();
  const next = await fetch(`${base}/v1/isbn/7`);
  expect([next.status, seen.length]).toEqual([200, 2]);
});
