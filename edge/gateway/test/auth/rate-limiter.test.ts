import { describe, expect, test } from "@jest/globals";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { createRateLimiter, parseRateLimit, ratePolicy, rateStanding } from "../../src/auth/rate-limiter.ts";

describe("the rate limit of a key", () => {
  const limit = { requests: 10, windowMs: 1_000 };

  test("lets the quota through at once and refuses the next, saying when", () => {
    const limiter = createRateLimiter(limit, new ManualClock());
    const states = Array.from({ length: 11 }, () => limiter.take("a"));
    expect(states.map((state) => state.allowed)).toEqual([...Array(10).fill(true), false]);
    expect(states.map((state) => state.remaining)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]);
    expect(states.at(-1)).toMatchObject({ retryAfterMs: 100, resetSeconds: 1 });
  });

  test("allows the request again after the time it named, and not before", () => {
    const clock = new ManualClock();
    const limiter = createRateLimiter(limit, clock);
    for (let request = 0; request < 10; request += 1) limiter.take("a");
    clock.advance(99);
    expect(limiter.take("a").allowed).toBe(false);
    clock.advance(1);
    expect(limiter.take("a").allowed).toBe(true);
  });

  test("never saves up more than the quota", () => {
    const clock = new ManualClock();
    const limiter = createRateLimiter(limit, clock);
    limiter.take("a");
    clock.advance(3_600_000);
    expect(limiter.take("a").remaining).toBe(9);
  });

  test("of one key does not touch another", () => {
    const limiter = createRateLimiter({ requests: 1, windowMs: 1_000 }, new ManualClock());
    expect([limiter.take("a"), limiter.take("a"), limiter.take("b")].map((state) => state.allowed)).toEqual([
      true,
      false,
      true,
    ]);
  });

  test("shows in the headers of the draft", () => {
    const limiter = createRateLimiter({ requests: 100, windowMs: 60_000 }, new ManualClock());
    expect(rateStanding(limiter.take("a"))).toBe('"key";r=99;t=1');
    expect(ratePolicy(limiter.limit)).toBe('"key";q=100;w=60');
  });

  test.each([
    ["100/1s", 100, 1_000],
    ["20", 20, 1_000],
    ["5/250ms", 5, 250],
    ["1/1h", 1, 3_600_000],
  ])("%s is read", (text, requests, windowMs) => {
    expect(parseRateLimit(text)).toEqual({ requests, windowMs });
  });

  test.each(["", "0", "20/", "0/1s", "1/0s", "-1/1s", "1.5/1s", "100/s", "100/1d", "100 / 1s"])(
    "'%s' is refused",
    (text) => {
      expect(() => parseRateLimit(text)).toThrow(/100\/1s/);
    },
  );
});
