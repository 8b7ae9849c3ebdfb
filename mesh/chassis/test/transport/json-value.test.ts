import { create } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "@jest/globals";
import { Fault } from "../../src/fault/fault.ts";
import { jsonText, valueFrom } from "../../src/transport/json-value.ts";

const about = { field: "input", limitBytes: 64 };
const reasonOf = (json: () => unknown): string => {
  try {
    json();
    return "none";
  } catch (failure) {
    return failure instanceof Fault ? failure.reason : String(failure);
  }
};

describe("a value of a user", () => {
  test.each(["null", "true", "0.1", '"ü\\u0000"', "[1,[]]", '{"__proto__":{"a":null}}'])(
    "%s is stored as it came",
    (text) => {
      expect(jsonText(valueFrom(text), about)).toBe(text);
    },
  );

  test("is absent where there is none, and null where it is empty", () => {
    expect(jsonText(undefined, about)).toBeUndefined();
    expect(jsonText(create(ValueSchema), about)).toBe("null");
  });

  test("may be as many bytes as the limit says, and no more", () => {
    const text = (bytes: number) => JSON.stringify("x".repeat(bytes - 2));
    expect(jsonText(valueFrom(text(64)), about)).toHaveLength(64);
    expect(reasonOf(() => jsonText(valueFrom(text(65)), about))).toBe("BODY_TOO_LARGE");
    // Bytes, not characters.
    expect(reasonOf(() => jsonText(valueFrom(JSON.stringify("ü".repeat(32))), about))).toBe("BODY_TOO_LARGE");
  });

  test.each([
    ["lists", "[0,", "]"],
    ["objects", '{"a":0,"b":', "}"],
  ])("may be 32 levels of %s, and is refused by its path beyond", (_what, open, close) => {
    const deep = (levels: number) => valueFrom(`${open.repeat(levels)}1${close.repeat(levels)}`);
    const wide = { field: "items[3].input", limitBytes: 1_000 };
    expect(jsonText(deep(32), wide)).toContain("1");
    expect(() => jsonText(deep(33), wide)).toThrow("items[3].input is deeper than 32 levels");
    expect(reasonOf(() => jsonText(deep(33), wide))).toBe("INVALID_REQUEST");
  });

  test("holds no number that JSON does not have", () => {
    const kind = { case: "numberValue" as const, value: Number.POSITIVE_INFINITY };
    expect(reasonOf(() => jsonText(create(ValueSchema, { kind }), about))).toBe("INVALID_REQUEST");
  });
});
