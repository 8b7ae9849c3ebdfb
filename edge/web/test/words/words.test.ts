import { describe, expect, test } from "@jest/globals";
import { countOf, percentText, totalText } from "../../src/words/count-text.ts";
import { durationMs, durationText } from "../../src/words/duration-text.ts";
import { absoluteText, clockText, lagText, relativeText, timeMs } from "../../src/words/time-text.ts";

test.each([
  [-5, "0 ms"],
  [0, "0 ms"],
  [0.25, "0.25 ms"],
  [4.24, "4.2 ms"],
  [850, "850 ms"],
  [999.4, "999 ms"],
  [4_240, "4.2 s"],
  [59_940, "59.9 s"],
  [59_970, "1m 00s"],
  [187_000, "3m 07s"],
  [3_599_700, "1h 00m"],
  [8_100_000, "2h 15m"],
  [356_400_000, "4d 03h"],
])("%d milliseconds are %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test.each([
  ["1.5s", 1_500],
  ["0s", 0],
  ["0.000250s", 0.25],
  ["1.5", undefined],
  ["", undefined],
  [undefined, undefined],
])("the duration %s is %s milliseconds", (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

describe("times", () => {
  const now = Date.parse("2026-11-21T14:02:07.123Z");
  test.each([
    [0, "now"],
    [-12_000, "12 s ago"],
    [-59_600, "1 min ago"],
    [-3_000_000, "50 min ago"],
    [-5_400_000, "2 h ago"],
    [-172_800_000, "2 d ago"],
    [180_000, "in 3 min"],
  ])("%d milliseconds away are told as %s", (away, text) => {
    expect(relativeText(now + away, now)).toBe(text);
  });

  test("are exact on demand, in either zone", () => {
    expect(absoluteText(now, "utc")).toBe("2026-11-21 14:02:07.123 UTC");
    expect(absoluteText(now, "local")).toMatch(/^2026-11-2\d \d\d:\d\d:07\.123 UTC/);
  });

  test("of another day are told with their day", () => {
    expect(clockText(now, now, "utc")).toBe("14:02:07");
    expect(clockText(now - 86_400_000, now, "utc")).toBe("2026-11-20 14:02:07");
  });

  test("keep the fraction that Date would cut", () => {
    expect(timeMs("2026-11-21T14:02:07.123456Z")).toBeCloseTo(now + 0.456, 3);
    expect(timeMs("2026-11-21T14:02:07Z")).toBe(now - 123);
    expect(timeMs("soon")).toBeUndefined();
    expect(timeMs(undefined)).toBeUndefined();
  });

  test("a second behind is the first that is told", () => {
    expect(lagText(999)).toBe("up to date");
    expect(lagText(12_000)).toBe("12.0 s behind");
  });
});

test("a count says whether it is one", () => {
  expect(totalText(1_204, true)).toBe("1,204");
  expect(totalText(10_000, false)).toBe("≥ 10,000");
  expect([countOf(1, "job"), countOf(2, "job")]).toEqual(["1 job", "2 jobs"]);
});

test.each([
  [0, "0 %"],
  [0.0004, "< 0.1 %"],
  [0.062, "6.2 %"],
  [0.5, "50 %"],
  [0.9996, "> 99.9 %"],
  [1, "100 %"],
])("the ratio %d is never rounded to nothing or everything: %s", (ratio, text) => {
  expect(percentText(ratio)).toBe(text);
});
