import { expect, test } from "@jest/globals";
import type { Caller } from "../../src/auth/key-store.ts";
import { UnsentBytes } from "../../src/dispatch/unsent-bytes.ts";
import { LIMITS } from "../../src/http/limits.ts";

const key = (id: string): Caller => ({ id, project: "demo", scopes: ["read"] });
const OF_KEY = LIMITS.unsentBytesOfKey;

test("a key whose answers wait is refused until they are out, and others are not", () => {
  const unsent = new UnsentBytes();
  unsent.hold(key("slow"), OF_KEY - 1);
  const last = unsent.hold(key("slow"), 1);
  expect(() => unsent.requireRoom(key("slow"))).toThrow(expect.objectContaining({ reason: "RATE_LIMITED" }));
  expect(() => unsent.requireRoom(key("quick"))).not.toThrow();
  expect(() => unsent.requireRoom(undefined)).not.toThrow();
  last[Symbol.dispose]();
  last[Symbol.dispose]();
  expect(() => unsent.requireRoom(key("slow"))).not.toThrow();
  unsent.hold(key("slow"), 1);
  expect(() => unsent.hold(key("slow"), 1)).toThrow(expect.objectContaining({ reason: "RATE_LIMITED" }));
});

test("what waits for all keys together has a limit, whoever asks", () => {
  const unsent = new UnsentBytes();
  for (let keys = 0; keys < LIMITS.unsentBytes / OF_KEY; keys += 1) unsent.hold(key(`${keys}`), OF_KEY);
  expect(() => unsent.requireRoom(key("quick"))).toThrow(expect.objectContaining({ reason: "OVERLOADED" }));
});
