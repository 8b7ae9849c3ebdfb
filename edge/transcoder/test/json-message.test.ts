import { createRegistry, type DescMessage, fromJsonString } from "@bufbuild/protobuf";
import { DoubleValueSchema, Int64ValueSchema, StructSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { expect, test } from "@jest/globals";
import { exactJson } from "../src/index.ts";

const registry = createRegistry(StructSchema);
const exact = (desc: DescMessage, text: string, jsonValues?: number): string =>
  exactJson(desc, new TextEncoder().encode(text), {
    registry,
    ...(jsonValues && { limits: { jsonValues } }),
  });

test("a 64-bit integer keeps its digits, a float takes the nearest value, and other text stays as it came", () => {
  const integer = fromJsonString(Int64ValueSchema, exact(Int64ValueSchema, "9007199254740993"));
  expect(integer.value).toBe(9_007_199_254_740_993n);
  const float = fromJsonString(DoubleValueSchema, exact(DoubleValueSchema, "0.12345678901234567890"));
  expect(float.value).toBe(0.123_456_789_012_345_68);
  expect(exact(StructSchema, ' {"a": 1.50} ')).toBe(' {"a": 1.50} ');
});

test.each<[string, DescMessage, string]>([
  ["free JSON that would be rounded", ValueSchema, '{"a":[1e400]}'],
  ["a key twice", ValueSchema, '{"a":1,"a":2}'],
  ["more values than the limit", ValueSchema, "[1,2,3,4]"],
  ["no JSON", ValueSchema, "["],
  ["another type", DoubleValueSchema, '"x"'],
])("%s is refused", (_what, desc, text) => {
  expect(() => exact(desc, text, 3)).toThrow(ConnectError);
});
