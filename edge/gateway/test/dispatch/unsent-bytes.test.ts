import { expect, test } from "@jest/globals";
import type { Caller } from "../../src/auth/key-store.ts";
import { UnsentBytes } from "../../src/dispatch/unsent-bytes.ts";
import { LIMITS } from "../../src/http/limits.ts";

const of = (project: string, id = "key"): Caller => ({ id, project, scopes: ["read"] });
const SHARE = LIMITS.unsentBytesOfProject;

test("a project whose answers wait is refused until they are out, by whichever key, and others are not", () => {
  const unsent = new UnsentBytes();
  unsent.count(of("slow"), SHARE - 1);
  const last = unsent.count(of("slow", "another key"), 1);
  expect(() => unsent.requireRoom(of("slow"))).toThrow(expect.objectContaining({ reason: "RATE_LIMITED" }));
  expect(() => unsent.requireRoom(of("quick"))).not.toThrow();
  expect(() => unsent.requireRoom(undefined)).not.toThrow();
  last[Symbol.dispose]();
  last[Symbol.dispose]();
  expect(() => unsent.requireRoom(of("slow"))).not.toThrow();
});

test("a small answer passes, and a submission does until such answers alone wait", () => {
  const unsent = new UnsentBytes();
  unsent.count(of("slow"), SHARE);
  const refused = expect.objectContaining({ reason: "RATE_LIMITED" });
  expect(() => unsent.requireRoom(of("slow"), LIMITS.largeAnswerBytes)).toThrow(refused);
  expect(() => unsent.requireRoom(of("slow"), LIMITS.largeAnswerBytes - 1)).not.toThrow();
  unsent.count(of("slow"), LIMITS.unsentBytesToSubmit - SHARE - 1);
  expect(() => unsent.requireRoomToSubmit(of("slow"))).not.toThrow();
  unsent.count(of("slow"), 1);
  expect(() => unsent.requireRoomToSubmit(of("slow"))).toThrow(refused);
  expect(() => unsent.requireRoomToSubmit(of("quick"))).not.toThrow();
});

test("where all projects' answers wait, those are refused who have a part in it, and nobody else", () => {
  const unsent = new UnsentBytes();
  unsent.count(of("part"), 1);
  for (let full = 0; full < LIMITS.unsentBytes / SHARE; full += 1) unsent.count(of(`${full}`), SHARE);
  expect(() => unsent.requireRoom(of("part"))).toThrow(expect.objectContaining({ reason: "OVERLOADED" }));
  expect(() => unsent.requireRoom(of("none"))).not.toThrow();
});

test("who has no key takes nothing from those who have one", () => {
  const unsent = new UnsentBytes();
  unsent.count(undefined, LIMITS.unsentBytes);
  expect(() => unsent.requireRoom(undefined)).toThrow(expect.objectContaining({ reason: "RATE_LIMITED" }));
  unsent.count(of("demo"), 1);
  expect(() => unsent.requireRoom(of("demo"))).not.toThrow();
});
