import { create, toBinary } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "@jest/globals";
import type { TranscoderOptions } from "../src/index.ts";
import { ask, harness, message, registry } from "./transcoder-fixture.ts";

function failing(error: unknown, options: Partial<TranscoderOptions> = {}) {
  const call = () => {
    throw error;
  };
  return harness(undefined, { call, ...options }).transcoder;
}

const line = "GET /v1/isbn/7";

describe("E1: an error of the call has the status of its code", () => {
  const rows: readonly (readonly [code: number, name: string, status: number])[] = [
    [Code.Canceled, "CANCELLED", 499],
    [Code.Unknown, "UNKNOWN", 500],
    [Code.InvalidArgument, "INVALID_ARGUMENT", 400],
    [Code.DeadlineExceeded, "DEADLINE_EXCEEDED", 504],
    [Code.NotFound, "NOT_FOUND", 404],
    [Code.AlreadyExists, "ALREADY_EXISTS", 409],
    [Code.PermissionDenied, "PERMISSION_DENIED", 403],
    [Code.ResourceExhausted, "RESOURCE_EXHAUSTED", 429],
    [Code.FailedPrecondition, "FAILED_PRECONDITION", 400],
    [Code.Aborted, "ABORTED", 409],
    [Code.OutOfRange, "OUT_OF_RANGE", 400],
    [Code.Unimplemented, "UNIMPLEMENTED", 501],
    [Code.Internal, "INTERNAL", 500],
    [Code.Unavailable, "UNAVAILABLE", 503],
    [Code.DataLoss, "DATA_LOSS", 500],
    [Code.Unauthenticated, "UNAUTHENTICATED", 401],
    [0, "UNKNOWN", 500],
    [17, "UNKNOWN", 500],
    [-1, "UNKNOWN", 500],
    [Number.NaN, "UNKNOWN", 500],
  ];
  test.each(rows)("code %i is %s, %i", async (code, name, status) => {
    const answer = await ask(failing(new ConnectError("why", code)), line);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(answer).toMatchObject({
      status,
      json: { type: "about:blank", status, code: name, detail: "why" },
    });
  });

  test("what is no ConnectError is 500, and its text stays inside", async () => {
    for (const thrown of [new Error("password=hunter2"), "hunter2", undefined, { message: "hunter2" }]) {
      const answer = await ask(failing(thrown), line);
      expect(answer).toMatchObject({ status: 500, json: { code: "INTERNAL" } });
      expect(answer.text).not.toContain("hunter2");
    }
  });

  test("a call that answers nothing, or twice, is 500", async () => {
    expect(await ask(harness(() => []).transcoder, line)).toMatchObject({ status: 500 });
    const twice = harness(({ method }) => [create(method.output), create(method.output)]).transcoder;
    expect(await ask(twice, line)).toMatchObject({ status: 500 });
  });

  test("a text that is no Unicode, or full of control characters, is still JSON", async () => {
    const answer = await ask(failing(new ConnectError('\ud800 \u0000\n"</script>', Code.NotFound)), line);
    expect(answer).toMatchObject({ status: 404, json: { detail: '\ud800 \u0000\n"</script>' } });
  });

  test("metadata of the error becomes headers", async () => {
    const error = new ConnectError("later", Code.Unavailable, { "retry-after": "3", "content-length": "1" });
    expect(await ask(failing(error), line)).toMatchObject({ status: 503, headers: { "retry-after": "3" } });
  });
});

describe("E1: details", () => {
  const delay = (seconds: number): Duration => create(DurationSchema, { seconds: BigInt(seconds), nanos: 1 });

  test("outgoing and incoming ones are shown with their @type", async () => {
    const error = new ConnectError("why", Code.Aborted, undefined, [
      { desc: DurationSchema, value: delay(1) },
    ]);
    error.details.push({ type: "google.protobuf.Duration", value: toBinary(DurationSchema, delay(2)) });
    const type = "type.googleapis.com/google.protobuf.Duration";
    const details = [
      { "@type": type, value: "1.000000001s" },
      { "@type": type, value: "2.000000001s" },
    ];
    expect(await ask(failing(error), line)).toMatchObject({ status: 409, json: { details } });
  });

  test("one whose type is unknown, or whose bytes are broken, changes nothing else", async () => {
    const error = new ConnectError("why", Code.Aborted);
    error.details.push({ type: "no.Such", value: new Uint8Array([1, 2]) });
    error.details.push({ type: "google.protobuf.Duration", value: new Uint8Array([255]) });
    const details = [
      { "@type": "type.googleapis.com/no.Such", value: "AQI=" },
      { "@type": "type.googleapis.com/google.protobuf.Duration", value: "/w==" },
    ];
    expect(await ask(failing(error), line)).toMatchObject({ status: 409, json: { details, detail: "why" } });
  });

  test("RetryInfo becomes Retry-After in whole seconds, and ErrorInfo the reason", async () => {
    const error = new ConnectError("later", Code.Unavailable);
    // google.rpc.RetryInfo { retry_delay { seconds: 2, nanos: 1 } } and google.rpc.ErrorInfo { reason: "BUSY"
    // }.
    error.details.push({ type: "google.rpc.RetryInfo", value: new Uint8Array([0x0a, 4, 0x08, 2, 0x10, 1]) });
    error.details.push({
      type: "google.rpc.ErrorInfo",
      value: new Uint8Array([0x0a, 4, 0x42, 0x55, 0x53, 0x59]),
    });
    expect(await ask(failing(error), line)).toMatchObject({
      headers: { "retry-after": "3" },
      json: { reason: "BUSY" },
    });
  });
});

describe("E1: the problem hook", () => {
  test("makes the document and the status", async () => {
    const problem = (error: ConnectError) => ({ status: 418, code: error.code, own: true });
    const answer = await ask(failing(new ConnectError("why", Code.NotFound), { problem }), line);
    expect(answer).toMatchObject({ status: 418, json: { status: 418, code: Code.NotFound, own: true } });
    expect(answer.headers["content-type"]).toBe("application/problem+json");
  });

  test("sees the violations of a request that could not be bound", async () => {
    let types: readonly string[] = [];
    const problem = (error: ConnectError) => {
      types = error.details.map((detail) => ("type" in detail ? detail.type : detail.desc.typeName));
      return { status: 400 };
    };
    await ask(failing(undefined, { problem }), "GET /v1/everything?int32=x");
    expect(types).toEqual(["google.rpc.BadRequest"]);
  });

  test("cannot turn a wrong HTTP method into something else", async () => {
    const problem = () => ({ status: 501, title: "Not Implemented" });
    const answer = await ask(failing(undefined, { problem }), "POST /v1/isbn/7");
    expect(answer).toMatchObject({ status: 405, json: { status: 405, title: "Method Not Allowed" } });
  });

  test.each([200, 99, 1000, Number.NaN])("a status of %d is replaced by the code's", async (status) => {
    const problem = () => ({ status });
    expect(await ask(failing(new ConnectError("why", Code.NotFound), { problem }), line)).toMatchObject({
      status: 404,
    });
  });

  test("whose document is no JSON is replaced by the default", async () => {
    const problem = () => ({ status: 404, count: 1n });
    const answer = await ask(failing(new ConnectError("why", Code.NotFound), { problem }), line);
    expect(answer).toMatchObject({ status: 404, json: { code: "NOT_FOUND" } });
  });

  test("that throws is replaced by the default", async () => {
    const problem = () => {
      throw new Error("broken");
    };
    expect(await ask(failing(new ConnectError("why", Code.NotFound), { problem }), line)).toMatchObject({
      status: 404,
    });
  });
});

describe("E1: google.rpc.Status for clients that take JSON but no problem document", () => {
  const rows: readonly (readonly [accept: string | undefined, contentType: string])[] = [
    ["application/json", "application/json"],
    ["Application/JSON; q=0.5, text/html", "application/json"],
    ["application/json, application/problem+json;q=0", "application/json"],
    ["*/*, application/problem+json;q=0", "application/json"],
    ["application/json, */*, application/problem+json;q=0", "application/json"],
    ["application/json, application/*;q=0.0, */*", "application/json"],
    [undefined, "application/problem+json"],
    ["", "application/problem+json"],
    ["*/*", "application/problem+json"],
    ["application/*", "application/problem+json"],
    ["application/json, */*;q=0.1", "application/problem+json"],
    ["application/json, application/problem+json", "application/problem+json"],
    ["application/problem+json", "application/problem+json"],
    ["text/event-stream", "application/problem+json"],
    ["application/json;q=0", "application/problem+json"],
    ["text/html", "application/problem+json"],
    [";;,,=", "application/problem+json"],
  ];
  test.each(rows)("Accept: %s gets %s", async (accept, contentType) => {
    const answer = await ask(failing(new ConnectError("why", Code.NotFound)), line, { headers: { accept } });
    expect(answer.status).toBe(404);
    expect(answer.headers["content-type"]).toBe(contentType);
    const status = { code: 5, message: "why", details: [] };
    expect(answer.json).toMatchObject(contentType === "application/json" ? status : { code: "NOT_FOUND" });
  });

  test("with the violations among its details", async () => {
    const accept = "application/json";
    const answer = await ask(failing(undefined), "GET /v1/everything?int32=x", { headers: { accept } });
    const fieldViolations = [{ field: "int32", description: expect.any(String) }];
    expect(answer.json).toMatchObject({ code: 3, details: [{ fieldViolations }] });
  });
});

describe("E1: cancellation", () => {
  test("a request that is cancelled already does not reach the call", async () => {
    const { transcoder, seen } = harness();
    const answer = await ask(transcoder, line, { signal: AbortSignal.abort() });
    expect(answer).toMatchObject({ status: 499 });
    expect(seen).toHaveLength(0);
  });

  test("a client that goes away aborts the call", async () => {
    const controller = new AbortController();
    const { transcoder } = harness(undefined, {
      call: async function* call(_method, _requests, { signal }) {
        const gone = new Promise((_resolve, reject) =>
          signal.addEventListener("abort", () => reject(signal.reason)),
        );
        controller.abort();
        await gone;
        yield message("transcoder.test.v1.Book");
      },
    });
    expect(await ask(transcoder, line, { signal: controller.signal })).toMatchObject({ status: 499 });
  });

  test("a body that breaks off is an error response, not a rejection", async () => {
    const { transcoder, seen } = harness();
    const body = (async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array([0x7b]);
      throw new Error("aborted");
    })();
    const response = await transcoder.handle({ method: "POST", target: "/v1/everything", headers: {}, body });
    expect(response.status).toBe(500);
    expect(seen).toHaveLength(0);
  });
});

test("the registry of the tests does not hold google.rpc's details", () => {
  expect(registry.getMessage("google.rpc.ErrorInfo")).toBeUndefined();
});
