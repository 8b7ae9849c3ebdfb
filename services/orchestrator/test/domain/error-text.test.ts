import { expect, test } from "@jest/globals";
import { boundedMessage, MESSAGE_LIMIT } from "../../src/domain/error-text.ts";

test("a message at the limit stays whole, and one beyond it is cut and says so", () => {
  const whole = "x".repeat(MESSAGE_LIMIT);
  expect(boundedMessage(whole)).toBe(whole);
  const cut = boundedMessage(`${whole}x`);
  expect(cut).toHaveLength(MESSAGE_LIMIT);
  expect(cut).toMatch(/^x+ … \(cut: its job has the whole\)$/);
});

test("a cut goes through no character", () => {
  for (const lead of ["", "a"])
    expect(boundedMessage(lead + "🙂".repeat(MESSAGE_LIMIT)).isWellFormed()).toBe(true);
});
