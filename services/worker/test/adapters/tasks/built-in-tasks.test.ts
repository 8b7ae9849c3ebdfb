import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { JsonValue } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { runAttempt } from "../../../src/adapters/tasks/attempt-run.ts";
import { builtInTasks } from "../../../src/adapters/tasks/built-in-tasks.ts";
import { httpPermission } from "../../../src/adapters/tasks/http-permission.ts";
import { httpTask } from "../../../src/adapters/tasks/http-task.ts";
import type { TaskHandler } from "../../../src/adapters/tasks/task.ts";

const tasks = builtInTasks({ httpAllow: [] });
const never = new AbortController().signal;

function run(
  task: string,
  input: JsonValue | undefined,
  { attempt = 1, signal = never, handlers = tasks } = {},
) {
  const about = { jobId: "job-1", leaseEpoch: attempt, project: "demo", maxAttempts: 5, timeoutMs: 1_000 };
  const ids = { idempotencyKey: "job-1", correlationId: "c-1", traceparent: "" };
  const inputJson = input === undefined ? undefined : JSON.stringify(input);
  return runAttempt(handlers, { ...about, ...ids, task, attempt, inputJson }, signal);
}

const failure = (type: string, message: RegExp | string, retryable: boolean) => ({
  kind: "failed",
  error: { type, message: typeof message === "string" ? message : expect.stringMatching(message), retryable },
});

describe("orrery.echo", () => {
  test.each([[null], [0], [""], ["\u0000"], [[]], [{}], [{ a: [{ b: null }] }], [1e300]])(
    "answers %j with it",
    async (input) => {
      expect(await run("orrery.echo", input)).toEqual({
        kind: "succeeded",
        outputJson: JSON.stringify(input),
      });
    },
  );
});

describe("orrery.sleep", () => {
  test("ends early and without success when it is stopped", async () => {
    const stop = new AbortController();
    const end = run("orrery.sleep", { ms: 60_000 }, { signal: stop.signal });
    stop.abort();
    expect(await end).toMatchObject({ kind: "failed", error: { type: "STOPPED" } });
  });

  test.each([[{}], [{ ms: -1 }], [{ ms: "5" }], [{ ms: 1e12 }], [{ ms: 1, s: 1 }], [[]], ["5"]])(
    "refuses %j",
    async (input) => {
      expect(await run("orrery.sleep", input)).toEqual(failure("INVALID_INPUT", /input/, false));
    },
  );
});

describe("orrery.fail", () => {
  test("fails as often as it is told, by the number of the attempt, and then succeeds", async () => {
    const input = { message: "not yet", retryable: true, times: 2 };
    expect(await run("orrery.fail", input, { attempt: 2 })).toEqual(failure("ORRERY_FAIL", "not yet", true));
    expect(await run("orrery.fail", input, { attempt: 3 })).toEqual({
      kind: "succeeded",
      outputJson: '{"attempts":3}',
    });
  });

  test("fails for ever, and for good, where it is told so", async () => {
    const input = { message: "never", retryable: false };
    expect(await run("orrery.fail", input, { attempt: 99 })).toEqual(failure("ORRERY_FAIL", "never", false));
  });

  test.each([[{ message: 1 }], [{ retryable: "no" }], [{ times: -1 }], [{ times: 1.5 }]])(
    "refuses %j",
    async (input) => {
      expect(await run("orrery.fail", input)).toEqual(failure("INVALID_INPUT", /input/, false));
    },
  );
});

describe("a handler", () => {
  const bad = (handler: TaskHandler) => ({ "mine.bad": handler });

  test("that throws anything fails its attempt and nothing else", async () => {
    const handlers = bad(() => Promise.reject(new Error("broken")));
    expect(await run("mine.bad", null, { handlers })).toEqual(failure("HANDLER_ERROR", "broken", true));
  });

  test.each([
    { bytes: 192 * 1024, ends: "succeeded" },
    { bytes: 192 * 1024 + 1, ends: "failed" },
  ])("whose output is $bytes bytes of JSON has $ends", async ({ bytes, ends }) => {
    const handlers = bad(() => Promise.resolve("x".repeat(bytes - 2)));
    expect(await run("mine.bad", null, { handlers })).toMatchObject({ kind: ends });
  });

  test.each([
    { levels: 32, ends: "succeeded" },
    { levels: 33, ends: "failed" },
  ])("whose output has $levels levels has $ends", async ({ levels, ends }) => {
    const handlers = bad(() => Promise.resolve(JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`)));
    expect(await run("mine.bad", null, { handlers })).toMatchObject({ kind: ends });
  });

  test.each(["toString", "orrery.other"])(
    "of the unknown task %s is not looked for further",
    async (task) => {
      expect(await run(task, null)).toEqual(failure("UNKNOWN_TASK", new RegExp(task), true));
    },
  );
});

describe("orrery.http", () => {
  /** A server on the loopback that remembers what came, and a handler that may or may not reach it. */
  async function canary(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const came: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      came.push(request);
      answer(request, response);
    }).listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    const { port } = server.address() as AddressInfo;
    const allowed = { "orrery.http": httpTask(httpPermission([`127.0.0.1:${port}`])) };
    const close = () => {
      server.closeAllConnections();
      server.close();
    };
    return { came, port, allowed, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: close };
  }

  test("sends the request with the job's key and answers with status, headers and body", async () => {
    using server = await canary((request, response) => {
      request.pipe(response.setHeader("content-type", "application/json"));
    });
    const input = { url: `${server.url}/a?b=c`, method: "POST", headers: { "X-Mine": "1" }, body: { n: 1 } };
    const end = await run("orrery.http", input, { handlers: server.allowed });
    expect(end.kind).toBe("succeeded");
    expect(JSON.parse(end.kind === "succeeded" ? (end.outputJson ?? "") : "")).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json" },
      body: { n: 1 },
    });
    expect(server.came[0]).toMatchObject({
      url: "/a?b=c",
      headers: { "idempotency-key": "job-1", "x-mine": "1", "x-correlation-id": "c-1" },
    });
  });

  test("is refused the loopback, however it is written, and no packet goes there", async () => {
    using server = await canary((_, response) => response.end());
    for (const host of [
      "127.0.0.1",
      "localhost",
      "2130706433",
      "0x7f.1",
      "[::ffff:127.0.0.1]",
      "0",
      "127。0。0。1",
    ]) {
      const end = await run("orrery.http", { url: `http://${host}:${server.port}/` });
      expect(end).toEqual(failure("ADDRESS_REFUSED", /ORRERY_HTTP_ALLOW/, false));
    }
    expect(server.came).toEqual([]);
  });

  test("goes to the address that was checked, although the name has moved since", async () => {
    using server = await canary((_, response) => response.end("here"));
    const answers = [["127.0.0.1"], ["10.0.0.1"]];
    const resolve = () => Promise.resolve(answers.shift() ?? []);
    const handlers = { "orrery.http": httpTask(httpPermission([`moving.example:${server.port}`]), resolve) };
    const end = await run("orrery.http", { url: `http://moving.example:${server.port}/` }, { handlers });
    expect(end).toMatchObject({ kind: "succeeded" });
    expect(answers).toHaveLength(1);
    expect(server.came[0]?.headers.host).toBe(`moving.example:${server.port}`);
  });

  test("is refused a name of which one address is forbidden", async () => {
    const resolve = () => Promise.resolve(["93.184.215.14", "169.254.169.254"]);
    const handlers = { "orrery.http": httpTask(httpPermission([]), resolve) };
    const end = await run("orrery.http", { url: "http://mixed.example/" }, { handlers });
    expect(end).toEqual(failure("ADDRESS_REFUSED", /mixed\.example/, false));
  });

  test.each([
    { status: 302, retryable: false },
    { status: 404, retryable: false },
    { status: 429, retryable: true },
    { status: 503, retryable: true },
  ])(
    "fails on status $status, retryable: $retryable, and follows no redirect",
    async ({ status, retryable }) => {
      using server = await canary((_, response) => {
        response.writeHead(status, { location: "/elsewhere", "retry-after": "7" }).end("why");
      });
      const end = await run("orrery.http", { url: server.url }, { handlers: server.allowed });
      expect(end).toMatchObject({ ...failure("HTTP_STATUS", /why/, retryable), retryAfterMs: 7_000 });
      expect(server.came).toHaveLength(1);
    },
  );

  test("fails on a status, whatever the size of the page that tells of it", async () => {
    using server = await canary((_, response) => {
      response.writeHead(503, { "retry-after": "7" }).end("x".repeat(192 * 1024 + 1));
    });
    const end = await run("orrery.http", { url: server.url }, { handlers: server.allowed });
    const refusal = failure("HTTP_STATUS", /^answered 503: x{500}$/, true);
    expect(end).toEqual({ ...refusal, retryAfterMs: 7_000 });
  });

  test("counts the look-up of the name among its time", async () => {
    const handlers = { "orrery.http": httpTask(httpPermission([]), () => new Promise(() => undefined)) };
    const end = await run("orrery.http", { url: "http://slow.example/", timeoutMs: 50 }, { handlers });
    expect(end).toEqual(failure("HTTP_TIMEOUT", /50 ms/, true));
  });

  test("fails when the answer is over 192 KiB, when it is too slow, and when nobody listens", async () => {
    using big = await canary((_, response) => response.end("x".repeat(192 * 1024 + 1)));
    expect(await run("orrery.http", { url: big.url }, { handlers: big.allowed })).toEqual(
      failure("HTTP_BODY_TOO_LARGE", /196608/, false),
    );
    using slow = await canary(() => undefined);
    expect(await run("orrery.http", { url: slow.url, timeoutMs: 50 }, { handlers: slow.allowed })).toEqual(
      failure("HTTP_TIMEOUT", /50 ms/, true),
    );
    const gone = await canary(() => undefined);
    gone[Symbol.dispose]();
    expect(await run("orrery.http", { url: gone.url }, { handlers: gone.allowed })).toEqual(
      failure("HTTP_CONNECTION", /ECONNREFUSED/, true),
    );
  });

  test.each([
    [{}],
    [{ url: "ftp://a.example/" }],
    [{ url: "file:///etc/passwd" }],
    [{ url: "http://user:pass@a.example/" }],
    [{ url: "not an address" }],
    [{ url: "http://a.example", method: "CONNECT" }],
    [{ url: "http://a.example", method: "GET", body: "x" }],
    [{ url: "http://a.example", headers: { Host: "b.example" } }],
    [{ url: "http://a.example", headers: { "x-a": "b\r\nc: d" } }],
    [{ url: "http://a.example", headers: { "x a": "b" } }],
    [{ url: "http://a.example", headers: { "x-a": 1 } }],
    [{ url: "http://a.example", timeoutMs: 0 }],
    [{ url: "http://a.example", redirect: true }],
  ])("refuses %j", async (input) => {
    expect(await run("orrery.http", input)).toEqual(failure("INVALID_INPUT", /input/, false));
  });
});
