import { readFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { DocumentClient } from "./document-client.ts";
import { OpenApiDocument } from "./openapi-document.ts";

const path = createRequire(import.meta.url).resolve("@orrery/contracts/openapi/edge.json");
const document = new OpenApiDocument(JSON.parse(readFileSync(path, "utf8")) as object);
const ID = "0199d2f4-7c1e-7a40-8f3b-2f6f0c1d9e55";
const HEADERS = { "x-correlation-id": "c", "x-request-id": "r", traceparent: "t", "ratelimit-policy": "p" };

/** An edge that answers what a test says. */
let answer: (response: ServerResponse) => void;
const edge = createServer((_request, response) => answer(response));
beforeAll(() => new Promise<void>((done) => edge.listen(0, "127.0.0.1", done)));
afterAll(() => new Promise((done) => edge.close(done)));

const told = async (status: number, body: object, headers: object = {}): Promise<readonly string[]> => {
  answer = (response) => {
    const type = status < 400 ? "application/json" : "application/problem+json";
    response.writeHead(status, { ...HEADERS, "content-type": type, ...headers });
    response.end(JSON.stringify(body));
  };
  const { port } = edge.address() as AddressInfo;
  const client = new DocumentClient(document, { edge: `http://127.0.0.1:${port}`, key: "k" });
  return (await client.call("QueuesService_ListQueues")).lies;
};

const queue = {
  name: "q",
  depth: {},
  paused: false,
  oldestWaitSeconds: 0,
  concurrency: 0,
  concurrencyPerKey: 0,
};
const problem = (reason: string, status = 503) => ({
  type: `http://edge/problems/${reason}`,
  title: "t",
  status,
  detail: "d",
  instance: "/v1/queues",
  code: "UNAVAILABLE",
  reason,
  retryable: true,
  fieldViolations: [],
  traceId: ID.replaceAll("-", ""),
});

describe("an answer that the document", () => {
  test("declares is no lie", async () => {
    expect(await told(200, { queues: [queue] })).toEqual([]);
    expect(await told(503, problem("OVERLOADED"))).toEqual([]);
  });

  test.each([299, 418, 502, 507])("does not declare is one: status %i", async (status) => {
    const lies = await told(status, {});
    expect(lies.join()).toContain("which the document does not declare");
  });

  test("declares with other reasons is one: a reason that the operation has not", async () => {
    expect((await told(503, problem("LEASE_LOST"))).join()).toContain("/reason");
  });

  test("declares without that field, with that type otherwise, or with more than that, is one", async () => {
    expect((await told(200, { queues: [{ ...queue, extra: 1 }] })).join()).toContain("additional");
    expect((await told(200, { queues: [{ ...queue, paused: "no" }] })).join()).toContain("/queues/0/paused");
    const { name: _name, ...nameless } = queue;
    expect((await told(200, { queues: [nameless] })).join()).toContain("required");
  });

  test("declares in another media type, or with a header more, is one", async () => {
    expect((await told(200, { queues: [] }, { "content-type": "text/plain" })).join()).toContain(
      "text/plain",
    );
    const { "x-request-id": _id, ...fewer } = HEADERS;
    answer = (response) => {
      response.writeHead(200, { ...fewer, "content-type": "application/json" });
      response.end('{"queues":[]}');
    };
    const { port } = edge.address() as AddressInfo;
    const client = new DocumentClient(document, { edge: `http://127.0.0.1:${port}`, key: "k" });
    expect((await client.call("QueuesService_ListQueues")).lies.join()).toContain("X-Request-Id");
  });
});
