import { describe, expect, test } from "@jest/globals";
import type { Json } from "../../src/domain/mission.ts";
import { resolve } from "../../src/domain/references.ts";

const sources = {
  input: () => ({ a: { b: [1, { c: null }] }, "": 1, "0": "zero" }) as Json,
  output: (step: string) =>
    step === "one" ? ({ list: ["x"], deep: { $from: "input" } } as Json) : undefined,
  key: (step: string) => (step === "one" ? "job-1" : undefined),
};
const resolved = (value: Json, limit = 10_000) => resolve(value, sources, limit);

describe("a reference", () => {
  test.each<[string, Json]>([
    ["input", sources.input()],
    ["input.a.b.0", 1],
    ["input.a.b.1.c", null],
    ["input.0", "zero"],
    ["steps.one.output.list.0", "x"],
    ["steps.one.idempotencyKey", "job-1"],
  ])("%s stands for its value", (from, value) => {
    expect(resolved([{ k: { $from: from } }, "rest"])).toEqual({ value: [{ k: value }, "rest"] });
  });

  test.each([
    ["input.z"],
    ["input.a.b.2"],
    ["input.a.b.-1"],
    ["input.a.b.01"],
    ["input.a.b.length"],
    ["input.a.b.1.c.d"],
    ["input.__proto__"],
    ["input.toString"],
    ["steps.one.output.list.x"],
    ["steps.two.output"],
    ["steps.two.idempotencyKey"],
  ])("%s stands for nothing", (from) => {
    expect(resolved({ $from: from })).toEqual({ missing: from });
  });

  test("is not looked for inside the values that references stand for", () => {
    expect(resolved({ $from: "steps.one.output.deep" })).toEqual({ value: { $from: "input" } });
  });

  test("may stand for so much JSON and no more, however often it is repeated", () => {
    const many = Array.from({ length: 100 }, () => ({ $from: "steps.one.idempotencyKey" }));
    expect(resolved(many, 700)).toHaveProperty("value");
    expect(resolved(many, 699)).toEqual({ tooLarge: 700 });
  });

  test("leaves a key such as __proto__ the key that it is", () => {
    const value = JSON.parse('{"__proto__":{"$from":"input.0"}}') as Json;
    expect(JSON.stringify(resolved(value))).toBe('{"value":{"__proto__":"zero"}}');
  });
});
