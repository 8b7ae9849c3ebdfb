import { describe, expect, test } from "@jest/globals";
import { admit, fullKeys, roomLeft } from "../../src/domain/queue-limits.ts";

const NONE = { concurrency: 0, concurrencyPerKey: 0, rateLimit: 0, ratePeriodMs: 1_000 };
const IDLE = { running: 0, runningByKey: new Map<string, number>(), starts: 0 };
const jobs = (...keys: string[]) =>
  keys.map((concurrencyKey, index) => ({ id: `${index}`, project: "demo", queue: "q", concurrencyKey }));
const admitted = (...args: Parameters<typeof admit>): string =>
  admit(...args)
    .map(({ id }) => id)
    .join("");

describe("the limits of a queue", () => {
  test("let everything through where there are none", () => {
    expect(admitted(jobs("", "a", "a"), NONE, { ...IDLE, running: 9 })).toBe("012");
  });

  test.each([
    [{ concurrency: 3 }, { running: 1 }, 2],
    [{ concurrency: 3 }, { running: 5 }, 0],
    [{ rateLimit: 4 }, { starts: 3 }, 1],
    [{ concurrency: 3, rateLimit: 4 }, { running: 0, starts: 3 }, 1],
  ])("I20: %j with %j in use leave room for %d", (limits, use, room) => {
    const [allowed, used] = [
      { ...NONE, ...limits },
      { ...IDLE, ...use },
    ];
    expect(roomLeft(allowed, used)).toBe(room);
    expect(admit(jobs("", "", "", "", ""), allowed, used)).toHaveLength(room);
  });

  test("I20: a full key is passed over, and others behind it are not", () => {
    const limits = { ...NONE, concurrencyPerKey: 1 };
    const use = { ...IDLE, running: 1, runningByKey: new Map([["a", 1]]) };
    expect(fullKeys(limits, use)).toEqual(["a"]);
    expect(admitted(jobs("a", "b", "b", "", "", "c"), limits, use)).toBe("1345");
  });

  test("a key counts for nothing without a limit for each key", () => {
    expect(fullKeys({ ...NONE, concurrency: 9 }, { ...IDLE, runningByKey: new Map([["a", 8]]) })).toEqual([]);
  });
});
