import { expect, test } from "@jest/globals";
import type { Caller } from "../../src/auth/key-store.ts";
import { HeldCalls } from "../../src/dispatch/held-calls.ts";
import { LIMITS } from "../../src/http/limits.ts";

const of = (project: string, id = "key"): Caller => ({ id, project, scopes: ["read"] });
const hold = (calls: HeldCalls, project: string, count: number): readonly Disposable[] =>
  Array.from({ length: count }, () => calls.hold(of(project)));

test("a project has its share of what may stay open, whatever its keys, and others have theirs", () => {
  const calls = new HeldCalls();
  const [first] = hold(calls, "greedy", LIMITS.heldCallsOfProject);
  expect(() => calls.hold(of("greedy", "another key"))).toThrow(
    expect.objectContaining({ reason: "RATE_LIMITED", message: expect.stringMatching(/at most 400/) }),
  );
  expect(() => calls.hold(of("modest"))).not.toThrow();
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  hold(calls, "greedy", 1);
  expect(() => calls.hold(of("greedy", "another key"))).toThrow(
    expect.objectContaining({ reason: "RATE_LIMITED" }),
  );
});

test("all projects together leave room for what does not stay open", () => {
  const calls = new HeldCalls();
  for (const id of ["a", "b"]) hold(calls, id, LIMITS.heldCallsOfProject);
  expect(() => calls.hold(of("c"))).toThrow(expect.objectContaining({ reason: "OVERLOADED" }));
});
