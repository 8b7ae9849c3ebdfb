import { expect, test } from "@jest/globals";
import { createKeyReader } from "../../src/domain/key-sequence.ts";
import { hasEnded, lookOf, STATUSES } from "../../src/domain/status-look.ts";

const press = (key: string, modified = false) => ({ key, modified });

test("g and a second key go to a place, in time", () => {
  let nowMs = 0;
  const read = createKeyReader(() => nowMs);
  expect(read(press("g"))).toBeUndefined();
  expect(read(press("j"))).toEqual({ does: "go", to: "/jobs" });
  expect(read(press("j"))).toEqual({ does: "next" });
  read(press("g"));
  nowMs += 1_201;
  expect(read(press("j"))).toEqual({ does: "next" });
});

test("keys with Control or the command key are left to the browser", () => {
  const read = createKeyReader(() => 0);
  expect(read(press("l", true))).toBeUndefined();
  expect(read(press("l"))).toEqual({ does: "live" });
});

test("names that every object has do nothing", () => {
  const read = createKeyReader(() => 0);
  expect(read(press("constructor"))).toBeUndefined();
  read(press("g"));
  expect(read(press("toString"))).toBeUndefined();
});

test("no two statuses are told by the same mark, word and colour", () => {
  const looks = STATUSES.map((status) => JSON.stringify(lookOf(status)));
  expect(new Set(looks).size).toBe(STATUSES.length);
});

test("a status of a newer platform is shown by its own name", () => {
  expect(lookOf("ON_HOLD").word).toBe("on hold");
  expect(hasEnded("ON_HOLD")).toBe(false);
});
