import { connect, type Socket } from "node:net";
import { describe, expect, test } from "@jest/globals";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, sharedTestBed } from "./gateway-factory.ts";

// Hostile inputs of the edge. Each is answered by a problem document, in 4xx, without a word of what is
// inside, and the gateway answers the next request as if nothing had been.

const jobs = new FakeJobs();
const bed = sharedTestBed({ jobs: jobs.implementation });

const { authorization } = auth();
const LEAKS = /\bat .+\.ts:\d|node_modules|select |insert |127\.0\.0\.1:\d|grpc-js|stack/i;

/**
 * Sends bytes as they are and reads until the connection is closed, or a whole answer with a length is there.
 */
function raw(bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(bed().gateway.http.port, "127.0.0.1", () => socket.write(bytes));
    const chunks: Buffer[] = [];
    const done = () => {
      socket.destroy();
      resolve(Buffer.concat(chunks).toString());
    };
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
      if (text.length >= text.indexOf("\r\n\r\n") + 4 + length) done();
    });
    socket.on("close", done);
    socket.on("error", reject);
  });
}

function expectProblem(
  status: number,
  contentType: string | null,
  body: string,
  expected: number | number[],
): void {
  expect([expected].flat()).toContain(status);
  expect(contentType).toMatch(/^application\/problem\+json/);
  const problem = JSON.parse(body) as Record<string, unknown>;
  expect(problem).toMatchObject({
    status,
    code: expect.any(String),
    reason: expect.any(String),
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
  expect(body).not.toMatch(LEAKS);
}

const request = (lines: string[], body = "") => `${lines.join("\r\n")}\r\n\r\n${body}`;
const head = (line: string, ...more: string[]) =>
  request([line, "Host: edge", `Authorization: ${authorization}`, ...more]);

describe("bytes that are no request, or a dangerous one", () => {
  test.each<[string, string, number | number[]]>([
    ["garbage", "\x16\x03\x01\x02\x00\x01\x00\x01", 400],
    ["a bad request line", "GET\r\n\r\n", 400],
    ["an unknown method", request(["FOO / HTTP/1.1", "Host: a"]), 400],
    ["no Host", request(["GET /v1/jobs HTTP/1.1"]), 400],
    ["HTTP/2 in clear", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
    ["headers over 16 KiB", request(["GET / HTTP/1.1", "Host: a", `X: ${"a".repeat(17_000)}`]), 431],
    ["a target over 16 KiB", request([`GET /${"a".repeat(17_000)} HTTP/1.1`, "Host: a"]), [414, 431]],
    ["a header with a zero byte", request(["GET / HTTP/1.1", "Host: a", "X: a\u0000b"]), 400],
    ["a folded header", request(["GET / HTTP/1.1", "Host: a", "X: a", " b"]), 400],
    ["a blank before the colon", request(["GET / HTTP/1.1", "Host : a"]), 400],
    [
      "two lengths",
      request(["POST /v1/jobs HTTP/1.1", "Host: a", "Content-Length: 2", "Content-Length: 3"], "{}"),
      400,
    ],
    ["a negative length", request(["POST /v1/jobs HTTP/1.1", "Host: a", "Content-Length: -1"]), 400],
    [
      "a length and chunks",
      request(
        ["POST /v1/jobs HTTP/1.1", "Host: a", "Content-Length: 4", "Transfer-Encoding: chunked"],
        "0\r\n\r\n",
      ),
      400,
    ],
    [
      "an unknown transfer coding",
      request(["POST /v1/jobs HTTP/1.1", "Host: a", "Transfer-Encoding: cow"], "x"),
      400,
    ],
    [
      "a chunk that is none",
      head("POST /v1/jobs HTTP/1.1", "Transfer-Encoding: chunked", "Content-Type: application/json").concat(
        "zz\r\n",
      ),
      400,
    ],
    ["CONNECT", request(["CONNECT db.internal:5432 HTTP/1.1", "Host: a"]), 400],
  ])("%s is answered by a problem document", async (_, bytes, status) => {
    const answer = await raw(bytes);
    const [top = "", body = ""] = answer.split("\r\n\r\n");
    const type = /content-type: (.*)/i.exec(top)?.[1] ?? null;
    expectProblem(Number(/^HTTP\/1\.1 (\d{3})/.exec(top)?.[1]), type, body, status);
    const { traceId } = JSON.parse(body) as { traceId: string };
    expect(top).toMatch(new RegExp(`^traceparent: 00-${traceId}-[0-9a-f]{16}-01\r?$`, "im"));
    expect(top).toMatch(/^x-correlation-id: [0-9a-f-]{36}\r?$/im);
  });
});

test("CONNECT is answered and its connection closed, whatever its client does", async () => {
  const connectTo = (then: (socket: Socket) => void): Promise<void> =>
    new Promise((closed) => {
      const socket = connect(bed().gateway.http.port, "127.0.0.1", () =>
        socket.write("CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n"),
      );
      socket.once("readable", () => then(socket));
      socket.on("close", () => closed());
    });
  await connectTo((socket) => socket.resetAndDestroy());
  await connectTo((socket) => socket.resume());
  expect((await fetch(`${bed().url}/v1/jobs/nothing`, { headers: auth() })).status).toBe(400);
});

describe("requests", () => {
  const json = (body: string) => ({ method: "POST", body, headers: { "content-type": "application/json" } });
  const job = (fields: string) => json(`{"task":"t",${fields}}`);
  const typed = (type: string) => ({
    method: "POST",
    body: '{"task":"t"}',
    headers: { "content-type": type },
  });
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

  test.each<[string, string, RequestInit, number | number[]]>([
    ["an unknown route", "/v1/nowhere", {}, 404],
    ["a path that climbs", "/v1/jobs/..%2f..%2fetc%2fpasswd", {}, [400, 404]],
    ["a zero byte in the path", "/v1/jobs/%00", {}, [400, 404]],
    ["a broken escape", "/v1/jobs/%zz", {}, 400],
    ["a long id", `/v1/jobs/${"a".repeat(10_000)}`, {}, [400, 404]],
    ["an id that is none", "/v1/jobs/not-an-id", {}, 400],
    ["a trailing slash", "/v1/jobs/", {}, 404],
    ["a method that the route does not take", "/v1/jobs", { method: "DELETE" }, 405],
    ["an unknown parameter", "/v1/jobs?sort=;DROP", {}, 400],
    ["a parameter of another shape", "/v1/jobs?pageSize[]=1", {}, 400],
    ["a number that is none", "/v1/jobs?pageSize=many", {}, 400],
    ["no JSON", "/v1/jobs", json("{"), 400],
    ["an empty body", "/v1/jobs", json(""), [400, 202]],
    ["JSON that is no object", "/v1/jobs", json("[]"), 400],
    ["an unknown field", "/v1/jobs", job('"tusk":1'), 400],
    ["a key twice", "/v1/jobs", job('"task":"u"'), 400],
    ["a prototype", "/v1/jobs", job('"__proto__":{"admin":true}'), 400],
    ["a number for a text", "/v1/jobs", json('{"task":1}'), 400],
    ["a number beyond int32", "/v1/jobs", job('"maxAttempts":2147483648'), 400],
    ["a fraction for an integer", "/v1/jobs", job('"maxAttempts":1.5'), 400],
    ["NaN", "/v1/jobs", job('"maxAttempts":NaN'), 400],
    ["1e309", "/v1/jobs", job('"input":1e309'), 400],
    [
      "a number in an input that JavaScript would round",
      "/v1/jobs",
      job('"input":{"a":[9007199254740993]}'),
      400,
    ],
    ["an unknown enum", "/v1/jobs", job('"status":"DONE"'), 400],
    ["JSON 100,000 deep", "/v1/jobs", job(`"input":${deep}`), 400],
    ["a lone surrogate", "/v1/jobs", job('"concurrencyKey":"\\ud800"'), 400],
    ["a body of another type", "/v1/jobs", typed("text/plain"), 415],
    ["a form", "/v1/jobs", typed("application/x-www-form-urlencoded"), 415],
    ["a type with garbage behind it", "/v1/jobs", typed("application/json garbage"), 415],
    [
      "an encoding that is not spoken",
      "/v1/jobs",
      { ...json("{}"), headers: { "content-type": "application/json", "content-encoding": "zstd" } },
      415,
    ],
    ["a body over 256 KiB", "/v1/jobs", job(`"input":"${"a".repeat(262_144)}"`), 413],
    ["a batch over 8 MiB", "/v1/jobs:batchSubmit", json(`{"jobs":["${"a".repeat(8 * 1024 * 1024)}"]}`), 413],
    [
      "an idempotency key with a blank",
      "/v1/jobs",
      { ...job('"priority":1'), headers: { "content-type": "application/json", "idempotency-key": "a b" } },
      400,
    ],
  ])("with %s are refused", async (_, path, init, status) => {
    const headers = { authorization, ...(init.headers as Record<string, string> | undefined) };
    const response = await fetch(bed().url + path, { ...init, headers });
    const body = await response.text();
    if (response.status === 202) return;
    expectProblem(response.status, response.headers.get("content-type"), body, status);
  });

  test("name the field, however deep, as the caller wrote it", async () => {
    const body = '{"jobs":[{"task":"t"},{"task":"t","maxAttempts":"many"}]}';
    const response = await fetch(`${bed().url}/v1/jobs:batchSubmit`, {
      ...{ method: "POST", body, headers: { authorization, "content-type": "application/json" } },
    });
    expect(await response.json()).toMatchObject({ fieldViolations: [{ field: "jobs[1].maxAttempts" }] });
  });

  test("of exactly 256 KiB are served", async () => {
    const empty = '{"task":"t","input":""}';
    const body = empty.replace('""', `"${"a".repeat(262_144 - empty.length)}"`);
    const response = await fetch(`${bed().url}/v1/jobs`, {
      ...{ method: "POST", body, headers: { authorization, "content-type": "application/json" } },
    });
    expect(Buffer.byteLength(body)).toBe(262_144);
    expect(response.status).toBe(202);
  });

  test.each([
    ["zeros in a list", () => `[${"0,".repeat(4_000_000)}0]`],
    ["empty lists in a list", () => `[${"[],".repeat(2_600_000)}[]]`],
    ["keys in an object", () => `{${Array.from({ length: 500_000 }, (_, n) => `"${n}":0`).join(",")}}`],
  ])("of 8 MiB of %s are refused before they fill the memory", async (_, input) => {
    const body = `{"jobs":[{"task":"t","input":${input()}}]}`;
    const before = process.memoryUsage().rss;
    const response = await fetch(`${bed().url}/v1/jobs:batchSubmit`, {
      ...{ method: "POST", body, headers: { authorization, "content-type": "application/json" } },
    });
    expectProblem(response.status, response.headers.get("content-type"), await response.text(), 400);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
  });

  test("that expect 100-continue and are refused never send their body", async () => {
    const answer = await raw(
      request(["POST /v1/jobs HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 100000"]),
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401/);
    expect(answer).not.toContain("100 Continue");
  });
});

describe("a path that is written in another way", () => {
  test.each([
    ["absolute", "http://elsewhere/v1/queues"],
    ["percent-encoded", "/%761/queues"],
    ["percent-encoded, but for the digit", "/v%31/queues"],
  ])("(%s) needs a key like the usual one, and comes to the same route with it", async (_, target) => {
    const refused = await raw(request([`GET ${target} HTTP/1.1`, "Host: edge"]));
    expect(refused).toMatch(/^HTTP\/1\.1 401 /);
    const served = await raw(head(`GET ${target} HTTP/1.1`));
    const usual = await raw(head("GET /v1/queues HTTP/1.1"));
    expect(served.slice(0, 12)).toBe(usual.slice(0, 12));
    expect(served).not.toMatch(/"status":500/);
  });
});

test.each(["/v1", "/v1?a=b", "/v1/", "/v1/queues"])(
  "%s needs a key, and tells the limit of one",
  async (target) => {
    const refused = await fetch(bed().url + target);
    expect([refused.status, refused.headers.get("ratelimit-policy")]).toEqual([401, '"key";q=50000;w=1']);
  },
);

describe("an RPC over Connect", () => {
  const path = "/orrery.jobs.v1.JobsService/GetJob";
  test.each([
    ["by GET", { method: "GET", headers: {} }, 405],
    [
      "with another media type",
      { method: "POST", body: "x", headers: { "content-type": "text/plain" } },
      415,
    ],
  ])("%s is refused by a problem document", async (_, init, status) => {
    const answer = await fetch(`${bed().url}${path}`, {
      ...init,
      headers: { ...init.headers, authorization },
    });
    expectProblem(answer.status, answer.headers.get("content-type"), await answer.text(), status);
    expect(answer.headers.get("allow")).toBe(status === 405 ? "POST" : null);
  });
});

test("garbage behind a request that is being answered does not become a part of that answer", async () => {
  const good = head("GET /v1/nowhere HTTP/1.1");
  const answer = await raw(`${good}\x00\x01garbage\r\n\r\n`);
  expect(answer.match(/HTTP\/1\.1 /g)?.length).toBeLessThanOrEqual(2);
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d [\s\S]*"reason":"(ROUTE_NOT_FOUND|INVALID_REQUEST)"/);
});

test("after all this the gateway works as before", async () => {
  const response = await fetch(`${bed().url}/v1/jobs`, {
    ...{
      method: "POST",
      body: '{"task":"t"}',
      headers: { authorization, "content-type": "application/json" },
    },
  });
  expect(response.status).toBe(202);
  expect(({} as { admin?: boolean }).admin).toBeUndefined();
});

describe("what follows a request that was taken", () => {
  test.each([
    ["garbage", "GARBAGE\r\n\r\n"],
    ["headers over their limit", `GET / HTTP/1.1\r\nHost: x\r\nA: ${"a".repeat(20_000)}\r\n\r\n`],
  ])("%s does not take its answer away", async (_, more) => {
    const body = JSON.stringify({ task: "t" });
    const head = [
      "POST /v1/jobs HTTP/1.1",
      "Host: x",
      `Authorization: ${authorization}`,
      "Content-Type: application/json",
      `Content-Length: ${body.length}`,
    ];
    const answer = await raw(`${head.join("\r\n")}\r\n\r\n${body}${more}`);
    expect(answer).toMatch(/^HTTP\/1\.1 20[012] /);
    expect(answer.toLowerCase()).toContain("connection: close");
  });
});

test.each(["[", "a b", "x:99999999", "%"])("the Host %p is refused, whatever the path", async (host) => {
  for (const path of ["/v1/jobs", "/orrery.jobs.v1.JobsService/GetJob"]) {
    const answer = await raw(`POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain("Host: has to be a host");
  }
});
