import { fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Value, ValueSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "@jest/globals";
import { jsonText } from "../../../src/adapters/rpc/json-value.ts";

function nested(levels: number, wrap: (inside: JsonValue) => JsonValue): Value {
  let json: JsonValue = 1;
  for (let level = 0; level < levels; level += 1) json = wrap(json);
  return fromJson(ValueSchema, json);
}
const inList = (inside: JsonValue): JsonValue => [0, inside];
const inObject = (inside: JsonValue): JsonValue => ({ a: 0, b: inside });

test.each([
  ["lists", inList],
  ["objects", inObject],
])("a value of 32 levels of %s is taken, and one of 33 is refused by its path", (_what, wrap) => {
  expect(jsonText(nested(32, wrap), "input")).toContain("1");
  expect(() => jsonText(nested(33, wrap), "jobs[3].input")).toThrow("jobs[3].input is deeper than 32 levels");
});
