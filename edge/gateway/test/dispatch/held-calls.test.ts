import { expect, test } from "@jest/globals";
import type { Caller } from "../../src/auth/key-store.ts";
import { HeldCalls } from "../../src/dispatch/held-calls.ts";
import { LIMITS } from "../../src/http/limits.ts";

const key = (id: string): Caller => ({ id, project: "demo", scopes: ["read"] });
const hold = (calls: HeldCalls, id: string, count: number): readonly Disposable[] =>
  Array.from({ length: count }, () => calls.hold(key(id)));

test("a key has its share of what may stay open, and others have theirs", () => {
  const calls = new HeldCalls();
  const [first] = hold(calls, "greedy", LIMITS.heldCallsOfKey);
  expect(() => calls.hold(key("greedy"))).toThrow(
    expect.objectContaining({ reason: "RATE_LIMITED", message: expect.stringMatching(/at most 400/) }),
  );
  expect(() => calls.hold(key("modest"))).not.toThrow();
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  hold(calls, "greedy", 1);
  expect(() => calls.hold(key("greedy"))).toThrow(expect.objectContaining({ reason: "RATE_LIMITED" }));
});

test("all keys together leave room for what does not stay open", () => {
  const calls = new HeldCalls();
  for (const id of ["a", "b"]) hold(calls, id, LIMITS.heldCallsOfKey);
  expect(() => calls.hold(key("c"))).toThrow(expect.objectContaining({ reason: "OVERLOADED" }));
});
