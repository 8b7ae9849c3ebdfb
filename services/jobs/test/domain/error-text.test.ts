import { expect, test } from "@jest/globals";
import { boundedMessage, MESSAGE_LIMIT_BYTES } from "../../src/domain/error-text.ts";

test("a message of 8 KiB is kept, and one byte more is cut and says so", () => {
  const full = "x".repeat(MESSAGE_LIMIT_BYTES);
  expect(boundedMessage(full)).toBe(full);
  const cut = boundedMessage(`${full}x`);
  expect(cut).toMatch(/x … \(cut: 8193 bytes in all\)$/);
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(MESSAGE_LIMIT_BYTES);
});

test("a message is never cut inside a character", () => {
  const cut = boundedMessage("🪐".repeat(4_000));
  expect(cut.isWellFormed()).toBe(true);
  expect(cut).not.toContain("\uFFFD");
});
