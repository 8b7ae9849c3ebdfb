import { expect, test } from "@jest/globals";
import { agreeOnKey, parseIdempotencyKey } from "../../src/dispatch/idempotency-key.ts";

test.each([
  ["a", "a"],
  ["  order-17  ", "order-17"],
  ['"order-17"', "order-17"],
  ['"a\\"b"', 'a"b'],
  ['"a\\\\b"', "a\\b"],
  ["a;b=c", "a;b=c"],
  ['a"b', 'a"b'],
  ["!~", "!~"],
  ["x".repeat(255), "x".repeat(255)],
  [`"${"x".repeat(255)}"`, "x".repeat(255)],
])("%s stands for the key %s", (header, key) => {
  expect(parseIdempotencyKey(header)).toBe(key);
});

test.each([
  ["nothing", ""],
  ["blanks", "   "],
  ["an empty string", '""'],
  ["256 characters", "x".repeat(256)],
  ["256 characters in quotes", `"${"x".repeat(256)}"`],
  ["1,025 characters", "x".repeat(1_025)],
  ["a blank inside", "a b"],
  ["a blank inside quotes", '"a b"'],
  ["two headers, as Node joins them", "a, b"],
  ["a quote that is not closed", '"abc'],
  ["parameters behind a string", '"abc";a=1'],
  ["an escape of something else", '"a\\nb"'],
  ["a tab", "a\tb"],
  ["a line break", "a\r\nb"],
  ["a zero byte", "a\u0000b"],
  ["a letter beyond ASCII", "\u00e9"],
  ["an emoji, as Node reads its bytes", Buffer.from("🙂").toString("latin1")],
  ["DEL", "a\u007f"],
])("a header with %s is refused by name", (_, header) => {
  expect(() => parseIdempotencyKey(header)).toThrow(/Idempotency-Key/);
});

test("a header and a body that name different keys are refused, the same key is not", () => {
  expect(agreeOnKey("a", undefined)).toBe("a");
  expect(agreeOnKey("a", "a")).toBe("a");
  expect(() => agreeOnKey("a", "b")).toThrow(/another key/);
});
