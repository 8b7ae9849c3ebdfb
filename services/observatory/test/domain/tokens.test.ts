import { describe, expect, test } from "@jest/globals";
import { readConsistencyToken } from "../../src/domain/consistency-token.ts";
import { comparePositions, ORDER_NAMES, readOrder } from "../../src/domain/list-order.ts";
import { lowestUuidAt, timeOfUuid } from "../../src/domain/uuid-time.ts";

const ID = "019aa5e2-7b1c-7000-8000-000000000001";
const encoded = (text: string) => Buffer.from(text).toString("base64url");

describe("a consistency token", () => {
  test("names an aggregate and a version", () => {
    expect(readConsistencyToken(encoded(`${ID}:12`))).toEqual({ id: ID, version: 12 });
  });

  test.each([
    "",
    "x",
    encoded(ID),
    encoded(`${ID}:0`),
    encoded(`${ID}:-1`),
    encoded(`${ID}:1:2`),
    encoded("a:1"),
  ])("is not made of %s", (token) => {
    expect(readConsistencyToken(token)).toBeUndefined();
  });
});

describe("an order", () => {
  test.each([
    ["", { field: "created", direction: "desc" }],
    ["createTime", { field: "created", direction: "desc" }],
    ["createTime asc", { field: "created", direction: "asc" }],
    ["priority", { field: "priority", direction: "asc" }],
    [" endTime  DESC ", { field: "finished", direction: "desc" }],
  ])("%p is read", (text, order) => {
    expect(readOrder(text, ORDER_NAMES.job)).toEqual(order);
  });

  test.each(["asc", "status", "createTime up", "createTime, priority", "createTime desc asc", "__proto__"])(
    "%p is refused",
    (text) => {
      expect(readOrder(text, ORDER_NAMES.job)).toBeUndefined();
    },
  );

  test("missions have no priority to be ordered by", () => {
    expect(readOrder("priority", ORDER_NAMES.mission)).toBeUndefined();
    expect(readOrder("startTime desc", ORDER_NAMES.mission)).toEqual({ field: "started", direction: "desc" });
  });

  test("O1: what is missing comes last in both directions", () => {
    const [missing, one] = [
      { value: undefined, id: "a" },
      { value: 1, id: "b" },
    ];
    for (const direction of ["asc", "desc"] as const) {
      expect(comparePositions(missing, one, { field: "started", direction })).toBeGreaterThan(0);
    }
  });

  test("O2: ties go by id in the same direction", () => {
    const [left, right] = [
      { value: 1, id: "a" },
      { value: 1, id: "b" },
    ];
    expect(comparePositions(left, right, { field: "started", direction: "asc" })).toBeLessThan(0);
    expect(comparePositions(left, right, { field: "started", direction: "desc" })).toBeGreaterThan(0);
  });
});

describe("the time in an id", () => {
  test("is read from a UUIDv7 and from nothing else", () => {
    expect(timeOfUuid(ID)).toBe(0x019aa5e27b1c);
    expect(timeOfUuid("019aa5e2-7b1c-4000-8000-000000000001")).toBeUndefined();
    expect(timeOfUuid("last")).toBeUndefined();
  });

  test("no id of that time or later sorts before the lowest one", () => {
    const lowest = lowestUuidAt(0x019aa5e27b1c);
    expect(lowest <= ID).toBe(true);
    expect(lowestUuidAt(0x019aa5e27b1d) > ID).toBe(true);
  });
});
