import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "@jest/globals";
import { ErrorInfoSchema } from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import { Fault, REASONS, reasonRules } from "@orrery/mesh/fault/fault";
import { toConnectError } from "@orrery/mesh/fault/wire";
import { errorAnswer, faultOf } from "../../src/http/problem.ts";

const about = {
  edge: "https://edge.example",
  instance: "/v1/jobs",
  traceId: "0af7651916cd43dd8448eb211c80319c",
};

describe("a problem document", () => {
  test("carries every member, also where it is empty", () => {
    const answer = errorAnswer(new Fault("NOT_FOUND", { detail: "no such job" }), about, undefined);
    expect(answer.status).toBe(404);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(answer.body)).toEqual({
      type: "https://edge.example/problems/NOT_FOUND",
      title: reasonRules("NOT_FOUND").title,
      status: 404,
      detail: "no such job",
      instance: "/v1/jobs",
      code: "NOT_FOUND",
      reason: "NOT_FOUND",
      retryable: false,
      fieldViolations: [],
      traceId: about.traceId,
    });
  });

  test.each(REASONS.map((reason) => [reason]))(
    "of %s has the status that the contract gives it",
    (reason) => {
      const answer = errorAnswer(new Fault(reason, { detail: "x" }), about, "*/*");
      expect(answer.status).toBe(reasonRules(reason).httpStatus);
      expect(JSON.parse(answer.body)).toMatchObject({ reason, status: answer.status });
    },
  );

  test("says when to come back wherever coming back helps", () => {
    const retryAfter = (fault: Fault) => errorAnswer(fault, about, undefined).headers["retry-after"];
    expect(retryAfter(new Fault("RATE_LIMITED", { detail: "", retryAfterMs: 1_200 }))).toBe("2");
    expect(retryAfter(new Fault("RATE_LIMITED", { detail: "" }))).toBe("1");
    expect(retryAfter(new Fault("DEPENDENCY_UNAVAILABLE", { detail: "" }))).toBe("1");
    expect(retryAfter(new Fault("IDEMPOTENCY_IN_FLIGHT", { detail: "" }))).toBe("1");
    expect(retryAfter(new Fault("JOB_NOT_RETRYABLE", { detail: "" }))).toBeUndefined();
  });

  test("of a missing key names the scheme", () => {
    const answer = errorAnswer(new Fault("UNAUTHENTICATED", { detail: "" }), about, undefined);
    expect(answer.headers["www-authenticate"]).toMatch(/^Bearer/);
  });

  test.each([
    "application/json",
    "application/json, text/html",
    "APPLICATION/JSON;q=0.5",
    "application/json, application/problem+json;q=0",
    "application/json, */*, application/problem+json;q=0",
  ])("gives way to google.rpc.Status for a client that takes %s", (accept) => {
    const answer = errorAnswer(new Fault("NOT_FOUND", { detail: "no such job" }), about, accept);
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(JSON.parse(answer.body)).toMatchObject({ code: Code.NotFound, message: "no such job" });
  });

  test.each([
    undefined,
    "*/*",
    "application/*",
    "application/problem+json",
    "application/json, */*",
    "application/json, application/*;q=0.1",
    "application/json, application/problem+json",
    "text/html",
    "application/json;q=0",
  ])("is what a client gets that takes %s", (accept) => {
    const answer = errorAnswer(new Fault("NOT_FOUND", { detail: "no such job" }), about, accept);
    expect(answer.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(answer.body)).toMatchObject({ code: "NOT_FOUND", detail: "no such job" });
  });

  test("has the fields at fault in google.rpc.Status too", () => {
    const fault = new Fault("INVALID_REQUEST", {
      detail: "bad",
      fieldViolations: [{ field: "maxAttempts", description: "1 to 100" }],
    });
    const answer = errorAnswer(fault, about, "application/json");
    expect(answer).toMatchObject({ status: 400, headers: { "content-type": "application/json" } });
    expect(JSON.parse(answer.body)).toMatchObject({
      code: 3,
      message: "bad",
      details: [
        { "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason: "INVALID_REQUEST", domain: "orrery" },
        { "@type": "type.googleapis.com/google.rpc.BadRequest", fieldViolations: [{ field: "maxAttempts" }] },
      ],
    });
  });
});

describe("the fault behind an error", () => {
  test("of a service is what the service said", () => {
    const fault = new Fault("LEASE_LOST", { detail: "gone", retryAfterMs: 5 });
    expect(faultOf(toConnectError(fault))).toMatchObject({
      reason: "LEASE_LOST",
      message: "gone",
      retryAfterMs: 5,
    });
  });

  test("that the transcoder found keeps its text and has one of our reasons", () => {
    const error = new ConnectError("this path takes GET", Code.Unimplemented);
    error.details.push({ desc: ErrorInfoSchema, value: { reason: "METHOD_NOT_ALLOWED", domain: "http" } });
    expect(faultOf(error)).toMatchObject({ reason: "METHOD_NOT_ALLOWED", message: "this path takes GET" });
    expect(faultOf(new ConnectError("bad JSON at 3", Code.InvalidArgument))).toMatchObject({
      reason: "INVALID_REQUEST",
      message: "bad JSON at 3",
    });
  });

  test("that nobody expected tells nothing of itself", () => {
    const { reason, message } = faultOf(new Error("password=hunter2 at db.internal"));
    expect(reason).toBe("INTERNAL");
    expect(message).not.toMatch(/hunter2|db\.internal/);
  });
});
