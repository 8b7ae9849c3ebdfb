import { expect, test } from "@jest/globals";
import { fold, indexedWordsOf, wordsOf } from "../../src/domain/text.ts";

test.each([
  ["ABC", "abc"],
  ["A\u030a", "å"],
  ["ÄÖÜ", "äöü"],
  ["Straße", "straße"],
])("T1: %s folds to %s", (text, folded) => {
  expect(fold(text)).toBe(folded);
  expect(fold(fold(text))).toBe(folded);
});

test("T2: letters and digits make words, everything else separates", () => {
  expect(wordsOf("Encoder: timed_out (after 60s)…")).toEqual(["encoder", "timed", "out", "after", "60s"]);
  expect(wordsOf("-- …")).toEqual([]);
});

test("a text is found by the parts of camel case, and by the whole", () => {
  expect([...indexedWordsOf("EncoderTimeout HTTPError")].sort()).toEqual([
    "encoder",
    "encodertimeout",
    "httperror",
    "timeout",
  ]);
});
