import { fromJsonString, toBinary } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "@jest/globals";
import { cutMessages, cutText, pageOf } from "../../src/transport/answer-size.ts";

const KIB = 1_024;
const page = (sizes: readonly number[], limit: number) => {
  const cut = pageOf(sizes, limit, (bytes) => "x".repeat(bytes));
  return [cut.page.length, cut.more];
};

test.each([
  ["nothing", [], 2, [0, false]],
  ["all that was asked for", [1, 1], 2, [2, false]],
  ["all that was asked for, and there is more", [1, 1, 1], 2, [2, true]],
  ["as many as fit", [2_000 * KIB, 1_584 * KIB, 1], 9, [2, true]],
  ["fewer where one more byte would not", [2_000 * KIB, 1_584 * KIB + 1], 9, [1, true]],
  ["one at least", [4_000 * KIB, 1], 9, [1, true]],
])("a page holds %s", (_what, sizes, limit, expected) => expect(page(sizes, limit)).toEqual(expected));

test("a page is measured in bytes, not in characters", () => {
  const cut = pageOf(["ü".repeat(900 * KIB), "ü".repeat(900 * KIB)], 9, (text) => text);
  expect([cut.page.length, cut.more]).toEqual([1, true]);
});

test("a page of nothing but numbers fits into what clients of gRPC take, and so do a thousand small things", () => {
  const pageOfOnes = (count: number, ones: number) => {
    const found = Array.from({ length: count }, () =>
      JSON.stringify({ ones: "1".repeat(ones).split("").map(Number) }),
    );
    const { page } = pageOf(found, count, (json) => json);
    const sent = page.map((json) => toBinary(StructSchema, fromJsonString(StructSchema, json)).length);
    return { count: page.length, bytes: sent.reduce((sum, bytes) => sum + bytes, 0) };
  };
  const dense = pageOfOnes(20, 96 * KIB);
  expect(dense.count).toBe(3);
  expect(dense.bytes).toBeLessThan(4 * KIB * KIB);
  expect(pageOfOnes(1_000, 200).count).toBe(1_000);
});

const failed = (message: string) => ({ error: { message } });

test("messages that fit together stay whole, however long one is", () => {
  const list = [failed("x".repeat(2_048 * KIB - 1)), {}, failed("y")];
  expect(cutMessages<{ error?: { message: string } }>(list)).toEqual(list);
});

test("of messages that do not fit the longest are cut at a whole character, and say so", () => {
  const [long, short, none] = cutMessages<{ error?: { message: string } }>([
    failed("🪐".repeat(600 * KIB)),
    failed("y"),
    {},
  ]);
  expect(long?.error?.message).toMatch(/^(🪐)+ … \(cut: 2457600 bytes in all\)$/u);
  expect(Buffer.byteLength(long?.error?.message ?? "")).toBeLessThanOrEqual((2_048 * KIB) / 3);
  expect([short, none]).toEqual([failed("y"), {}]);
});

test("a text of the limit is kept, and one byte more is cut, and says so within it", () => {
  const full = "x".repeat(100);
  expect(cutText(full, 100)).toBe(full);
  expect(cutText(`${full}x`, 100)).toBe(`${"x".repeat(72)} … (cut: 101 bytes in all)`);
});

test("a text that is cut again says how much there was at first", () => {
  const once = cutText("🪐".repeat(4_000), 8 * KIB);
  expect(cutText(once, KIB)).toMatch(/^(🪐)+ … \(cut: 16000 bytes in all\)$/u);
  expect(Buffer.byteLength(cutText(once, KIB))).toBeLessThanOrEqual(KIB);
});

test("what looks like the note of a cut takes no more than one may", () => {
  const forged = `x … (cut: ${"9".repeat(9 * KIB)} bytes in all)`;
  expect(Buffer.byteLength(cutText(forged, 8 * KIB))).toBe(8 * KIB);
});
