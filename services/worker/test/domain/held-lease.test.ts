import { describe, expect, test } from "@jest/globals";
import type { Attempt, AttemptEnd } from "../../src/domain/attempt.ts";
import { type HeldLease, isHopeless, stopDue, trustedUntil, wordFor } from "../../src/domain/held-lease.ts";

const attempt: Attempt = {
  jobId: "job",
  leaseEpoch: 1,
  project: "demo",
  task: "orrery.echo",
  inputJson: undefined,
  attempt: 1,
  maxAttempts: 5,
  timeoutMs: 1_000,
  idempotencyKey: "job",
  correlationId: "",
  traceparent: "",
};
const held = (more: Partial<HeldLease> = {}): HeldLease => ({
  attempt,
  startedAtMs: 0,
  trustedUntilMs: trustedUntil(0),
  stop: undefined,
  end: undefined,
  endedAtMs: 0,
  timesSent: 0,
  ...more,
});

const succeeded: AttemptEnd = { kind: "succeeded", outputJson: "1" };
const failed: AttemptEnd = { kind: "failed", error: { type: "ANY", message: "any", retryable: true } };

describe("a held lease", () => {
  test("L1: is trusted for 13 seconds from the moment it was asked for", () => {
    expect(trustedUntil(500)).toBe(13_500);
    const patient = held({ attempt: { ...attempt, timeoutMs: Number.POSITIVE_INFINITY } });
    expect(stopDue(patient, 12_999)).toBeUndefined();
    expect(stopDue(patient, 13_000)).toBe("lost");
  });

  test("is stopped at its timeout, once", () => {
    expect(stopDue(held(), 999)).toBeUndefined();
    expect(stopDue(held(), 1_000)).toBe("timeout");
    expect(stopDue(held({ stop: "timeout" }), 2_000)).toBeUndefined();
    expect(stopDue(held({ stop: "cancelled" }), 2_000)).toBeUndefined();
  });

  test("has nothing left to stop once it has ended, or is given back", () => {
    expect(stopDue(held({ end: failed }), 60_000)).toBeUndefined();
    expect(stopDue(held({ stop: "released" }), 60_000)).toBeUndefined();
  });

  test("has its result given up after five sends and a minute without an answer, not before", () => {
    expect(isHopeless(held({ timesSent: 5, endedAtMs: 1 }), 60_000)).toBe(false);
    expect(isHopeless(held({ timesSent: 4, endedAtMs: 0 }), 60_000)).toBe(false);
    expect(isHopeless(held({ timesSent: 5, endedAtMs: 0 }), 60_000)).toBe(true);
  });

  test.each([
    { stop: undefined, end: failed, word: failed },
    { stop: "cancelled", end: succeeded, word: succeeded },
    { stop: "cancelled", end: failed, word: { kind: "cancelled" } },
    { stop: "timeout", end: failed, word: { kind: "failed", error: { type: "TIMEOUT", retryable: true } } },
    { stop: "timeout", end: succeeded, word: { kind: "failed", error: { type: "TIMEOUT" } } },
  ] as const)("stopped by $stop, says of $end.kind: $word.kind", ({ stop, end, word }) => {
    expect(wordFor(stop, end)).toMatchObject(word);
  });

  test.each(["lost", "released"] as const)("L2: says nothing at all once it is %s", (stop) => {
    expect(wordFor(stop, succeeded)).toBeUndefined();
    expect(wordFor(stop, failed)).toBeUndefined();
  });
});
