import { createHash } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "@jest/globals";
import { MuteAlertRequestSchema } from "@orrery/contracts/gen/orrery/alerts/v1/alerts_service_pb.js";
import { Fault } from "../../src/fault/fault.ts";
import { type KeyedRequest, keyedRequest, keyReused, storedAnswer } from "../../src/idempotency/keys.ts";

const read = (request: MessageInitShape<typeof MuteAlertRequestSchema>, path?: string) =>
  keyedRequest("Mute", MuteAlertRequestSchema, create(MuteAlertRequestSchema, request), "demo", path);
const faultOf = (work: () => unknown): Fault => {
  try {
    work();
  } catch (failure) {
    if (failure instanceof Fault) return failure;
  }
  throw new Error("nothing was refused");
};

describe("the key of a request", () => {
  test("is none where the request carries none, or an empty one", () => {
    expect(read({ note: "n" })).toBeUndefined();
    expect(read({ note: "n", idempotencyKey: "" })).toBeUndefined();
  });

  test("stands for all that the request says but the key", () => {
    const one = read({ note: "n", idempotencyKey: "one" });
    expect(one).toMatchObject({ project: "demo", route: "Mute", key: "one" });
    expect(read({ note: "n", idempotencyKey: "two" })?.fingerprint).toBe(one?.fingerprint);
    expect(read({ note: "N", idempotencyKey: "one" })?.fingerprint).not.toBe(one?.fingerprint);
  });

  // Answers are kept for a day: those of the release before have to be found.
  test("stands for the SHA-256 of the request's JSON with its keys in order", () => {
    const json = '{"duration":"1s","id":"i","note":"n"}';
    const keyed = read({ note: "n", id: "i", duration: { seconds: 1n }, idempotencyKey: "k" });
    expect(keyed?.fingerprint).toBe(createHash("sha256").update(json).digest("hex"));
  });

  test.each([
    ["", undefined],
    ["items[3]", "items[3]"],
  ])("names %j where ProtoJSON cannot say the request", (field, path) => {
    const fault = faultOf(() => read({ untilTime: { seconds: 10n ** 16n }, idempotencyKey: "k" }, path));
    const description = "holds a time, a duration or a value that ProtoJSON does not have";
    expect([fault.reason, fault.message]).toEqual(["INVALID_REQUEST", `the request ${description}`]);
    expect(fault.fieldViolations).toEqual([{ field, description }]);
  });
});

describe("what a key stands for", () => {
  const request: KeyedRequest = { project: "demo", route: "Mute", key: 'a"b', fingerprint: "f" };
  const response = new Uint8Array([1]);

  test("is nothing, or the answer that the same request got", () => {
    expect(storedAnswer(request, { kind: "new" })).toBeUndefined();
    expect(storedAnswer(request, { kind: "done", fingerprint: "f", response })).toBe(response);
  });

  test("is a refusal by name while the first request is under way, and for another request", () => {
    const inFlight = faultOf(() => storedAnswer(request, { kind: "in_flight" }));
    expect([inFlight.reason, inFlight.retryAfterMs]).toEqual(["IDEMPOTENCY_IN_FLIGHT", 1_000]);
    expect(inFlight.message).toBe('a request with the idempotency key "a\\"b" is still under way');
    const reused = faultOf(() => storedAnswer(request, { kind: "done", fingerprint: "g", response }));
    expect(reused.reason).toBe("IDEMPOTENCY_KEY_REUSED");
    expect(reused.message).toBe('the idempotency key "a\\"b" was used for another request');
    expect(keyReused(request)).toMatchObject({ reason: reused.reason, message: reused.message });
  });
});
