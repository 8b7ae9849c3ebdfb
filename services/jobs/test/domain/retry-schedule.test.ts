import { describe, expect, test } from "@jest/globals";
import { DEFAULT_RETRY_POLICY, retryDelayMs } from "../../src/domain/retry-schedule.ts";

describe("the retry schedule", () => {
  test.each([
    [0, 1_000],
    [1, 2_000],
    [5, 32_000],
    [8, 256_000],
    [9, 300_000],
    [99, 300_000],
  ])("waits, after %d failures before, %d ms on average", (failures, delayMs) => {
    expect(retryDelayMs(DEFAULT_RETRY_POLICY, failures, 0.5)).toBe(delayMs);
  });

  test("I21: spreads each delay by its jitter to both sides", () => {
    expect(retryDelayMs(DEFAULT_RETRY_POLICY, 0, 0)).toBe(800);
    expect(retryDelayMs(DEFAULT_RETRY_POLICY, 0, 1)).toBe(1_200);
    expect(retryDelayMs({ ...DEFAULT_RETRY_POLICY, jitter: 0 }, 0, 0.9)).toBe(1_000);
    expect(retryDelayMs({ ...DEFAULT_RETRY_POLICY, initialDelayMs: 0 }, 3, 0.9)).toBe(0);
  });
});
