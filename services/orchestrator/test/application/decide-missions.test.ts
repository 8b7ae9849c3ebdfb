import { expect, test } from "@jest/globals";
import { Fault } from "@orrery/mesh/fault/fault";
import { inShares, shares } from "../../src/application/decide-missions.ts";
import { BYTES_AT_ONCE, MISSIONS_AT_ONCE } from "../../src/application/limits.ts";

const jobs = (count: number, valueBytes: number) =>
  Array.from({ length: count }, (_, index) => ({ missionId: `m${index}`, valueBytes, place: index }));

test("one transaction has so many missions and no more", () => {
  expect(shares(jobs(MISSIONS_AT_ONCE, 1)).map(({ length }) => length)).toEqual([MISSIONS_AT_ONCE]);
  expect(shares(jobs(MISSIONS_AT_ONCE + 1, 1)).map(({ length }) => length)).toEqual([MISSIONS_AT_ONCE, 1]);
});

test("one transaction holds so many bytes of values, its first mission aside", () => {
  expect(shares(jobs(4, BYTES_AT_ONCE / 2)).map(({ length }) => length)).toEqual([2, 2]);
  expect(shares(jobs(2, BYTES_AT_ONCE * 2)).map(({ length }) => length)).toEqual([1, 1]);
});

test("what belongs to one mission stays in one transaction", () => {
  const [first, second] = [jobs(1, BYTES_AT_ONCE), jobs(1, BYTES_AT_ONCE)];
  expect(shares([...first, ...second]).map(({ length }) => length)).toEqual([2]);
  expect(shares([])).toEqual([]);
});

test("a mission that cannot be worked on holds up no other, and is told of in the end", async () => {
  const done: string[] = [];
  const working = inShares(jobs(5, 1), (share) => {
    if (share.some(({ missionId }) => missionId === "m2")) return Promise.reject(new Error("m2 is broken"));
    done.push(...share.map(({ missionId }) => missionId));
    return Promise.resolve();
  });
  await expect(working).rejects.toThrow("m2 is broken");
  expect(done).toEqual(["m0", "m1", "m3", "m4"]);
});

test("a database that is away is no mission's fault: nothing is tried alone", async () => {
  let tries = 0;
  const working = inShares(jobs(5, 1), () => {
    tries += 1;
    return Promise.reject(new Fault("DEPENDENCY_UNAVAILABLE", { detail: "away" }));
  });
  await expect(working).rejects.toThrow("away");
  expect(tries).toBe(1);
});
