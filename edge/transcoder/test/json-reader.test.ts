import { describe, expect, test } from "@jest/globals";
import { survivesRoundTrip, toInteger } from "../src/decimal.ts";
import { JsonFault, readJson } from "../src/json-reader.ts";
import { random } from "./random.ts";

const limits = { jsonDepth: 32, jsonKeys: 1_000, jsonValues: 1_500 };

describe("survivesRoundTrip", () => {
  const kept = [
    "0",
    "-0",
    "1",
    "0.1",
    "1e2",
    "1E+2",
    "100e-2",
    "1.50",
    "9007199254740992",
    "1e22",
    "5e-324",
    "123456789012345680",
    "1.7976931348623157e308",
    "0e999999999999",
  ];
  test.each(kept)("%s comes back as the same number", (text) => {
    expect(survivesRoundTrip(text, Number(text))).toBe(true);
  });

  const changed = [
    "9007199254740993",
    "0.1234567890123456789012",
    "1e400",
    "-1e400",
    "1e-400",
    "1152921504606846976",
    "123456789012345678",
    "0.10000000000000000001",
    "1e99999999999999999999",
  ];
  test.each(changed)("%s does not", (text) => {
    expect(survivesRoundTrip(text, Number(text))).toBe(false);
  });
});

describe("toInteger", () => {
  const rows: readonly (readonly [text: string, integer: bigint | undefined])[] = [
    ["0", 0n],
    ["-0", 0n],
    ["12300", 12300n],
    ["1.5e1", 15n],
    ["100e-2", 1n],
    ["18446744073709551615", 18446744073709551615n],
    ["1.5", undefined],
    ["1e-1", undefined],
    ["1e999999999", undefined],
    ["01", undefined],
    ["+1", undefined],
    ["0x1", undefined],
    ["", undefined],
    [" 1", undefined],
    ["1.", undefined],
  ];
  test.each(rows)("%j is %s", (text, ...[integer]) => {
    expect(toInteger(text)).toBe(integer);
  });
});

test("readJson and JSON.parse agree on 5,000 mutated texts, but for keys that occur twice", () => {
  const seedText = '{"a":[1,-2.5e3,"x\\"\\\\{",{"b":null,"c":[true,{}]}],"d":{"\\u0061":"[","__proto__":0}}';
  const signs = ['"', "\\", "{", "}", "[", "]", ",", ":", "1", "e", " ", "-", ".", '"a":', "null"];
  let valid = 0;
  for (let seed = 1; seed <= 5_000; seed++) {
    const pick = random(seed);
    const at = pick(seedText.length);
    const text = seedText.slice(0, at) + (signs[pick(signs.length)] ?? "") + seedText.slice(at + pick(2));
    const [expected, got] = [attempt(() => JSON.parse(text)), attempt(() => readJson(text, limits).value)];
    if (got instanceof JsonFault && got.message.includes("twice")) {
      expect(expected).not.toBeInstanceOf(Error);
    } else if (expected instanceof Error) {
      expect({ seed, text, got: got instanceof JsonFault }).toEqual({ seed, text, got: true });
    } else {
      expect({ seed, text, got }).toEqual({ seed, text, got: expected });
      valid += 1;
    }
  }
  expect(valid).toBeGreaterThan(500);
});

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}
