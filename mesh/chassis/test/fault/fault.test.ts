import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "@jest/globals";
import { ErrorInfoSchema } from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { Fault, isReason, REASONS, type Reason, reasonRules } from "../../src/fault/fault.ts";
import { codeName, faultFrom, problemFrom, toConnectError } from "../../src/fault/wire.ts";
import { errorFrom, statusFrom } from "../../src/transport/grpc-codec.ts";

describe("every reason of the contract", () => {
  test.each(REASONS)("%s has a code, an HTTP status, a title, a cause and a fix", (reason) => {
    const rules = reasonRules(reason);
    expect(rules.code).toBeGreaterThanOrEqual(1);
    expect(rules.code).toBeLessThanOrEqual(16);
    expect(rules.httpStatus).toBeGreaterThanOrEqual(400);
    expect(rules.httpStatus).toBeLessThan(600);
    expect([rules.title, rules.cause, rules.fix].every((text) => text.length > 5)).toBe(true);
  });

  test.each(REASONS)("%s comes back from the wire as it went, details included", (reason: Reason) => {
    const sent = new Fault(reason, {
      detail: `what happened: ${reason}`,
      fieldViolations: [{ field: "items[3].maxAttempts", description: "at most 100" }],
      retryAfterMs: 1_250,
    });
    const received = faultFrom(errorFrom(statusFrom(sent)));
    expect(received).toEqual(sent);
    expect(received.reason).toBe(reason);
    expect(received.retryable).toBe(reasonRules(reason).retryable);
  });

  test("the list leaves out no value but the zero", () => {
    const names = Object.keys(Problem_Reason).filter((name) => Number.isNaN(Number(name)));
    expect(names.filter((name) => !isReason(name))).toEqual(["REASON_UNSPECIFIED"]);
  });
});

test("an error that is no fault becomes INTERNAL and its text stays here", () => {
  const original = new Error("select * from secrets");
  const rendered = toConnectError(original);
  expect(rendered.code).toBe(Code.Internal);
  expect(JSON.stringify(statusFrom(original))).not.toContain("secrets");
  expect(rendered.cause).toBe(original);
});

test.each([
  [Code.Unavailable, "", "DEPENDENCY_UNAVAILABLE"],
  [Code.DeadlineExceeded, "", "DEADLINE_EXCEEDED"],
  [Code.Canceled, "", "CANCELLED"],
  [Code.PermissionDenied, "", "CALLER_NOT_ALLOWED"],
  [Code.Unimplemented, "", "UNIMPLEMENTED"],
  [Code.ResourceExhausted, "Received message larger than max (5 vs. 4)", "BODY_TOO_LARGE"],
  [Code.ResourceExhausted, "busy", "OVERLOADED"],
  [Code.Unknown, "", "INTERNAL"],
  [Code.DataLoss, "", "INTERNAL"],
])("a bare code %s (%s) means %s", (code, text, reason) => {
  expect(faultFrom(new ConnectError(text, code)).reason).toBe(reason);
});

test("a reason of another domain, or of a later release, is not taken for one of ours", () => {
  for (const info of [
    { reason: "LEASE_LOST", domain: "elsewhere.example" },
    { reason: "NOT_YET_INVENTED", domain: "orrery" },
  ]) {
    const foreign = new ConnectError("x", Code.NotFound, undefined, [
      { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, info) },
    ]);
    expect(faultFrom(foreign).reason).toBe("NOT_FOUND");
  }
});

test("details that cannot be read leave code and text", () => {
  const status = statusFrom(new Fault("NOT_FOUND", { detail: "no such thing" }));
  status.metadata.set("grpc-status-details-bin", Buffer.from([0xff, 0xff, 0xff]));
  expect(errorFrom(status)).toMatchObject({ code: Code.NotFound, rawMessage: "no such thing", details: [] });
});

test("a problem document carries the reason's page, status, code, fields and trace", () => {
  const fault = new Fault("INVALID_REQUEST", {
    detail: "two fields are wrong",
    fieldViolations: [{ field: "task", description: "is required" }],
  });
  const about = {
    edge: "https://edge.example",
    instance: "/v1/things",
    traceId: "0af7651916cd43dd8448eb211c80319c",
  };
  expect(problemFrom(fault, about)).toMatchObject({
    type: "https://edge.example/problems/INVALID_REQUEST",
    title: reasonRules("INVALID_REQUEST").title,
    status: 400,
    detail: "two fields are wrong",
    instance: "/v1/things",
    code: "INVALID_ARGUMENT",
    reason: Problem_Reason.INVALID_REQUEST,
    retryable: false,
    fieldViolations: [{ field: "task", description: "is required" }],
    traceId: about.traceId,
  });
});

test.each([
  [Code.Canceled, "CANCELLED"],
  [Code.DeadlineExceeded, "DEADLINE_EXCEEDED"],
  [Code.NotFound, "NOT_FOUND"],
  [Code.Unauthenticated, "UNAUTHENTICATED"],
])("code %s is written %s", (code, name) => {
  expect(codeName(code)).toBe(name);
});
