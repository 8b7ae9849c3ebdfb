import { expect, test } from "@jest/globals";
import { until } from "../../src/testing/until.ts";

test("a wait ends as soon as it is so", async () => {
  let asked = 0;
  await until("three", () => Promise.resolve(++asked === 3), { everyMs: 1 });
  expect(asked).toBe(3);
});

test("what never comes is named when the time is over", async () => {
  const never = until("Godot", () => Promise.resolve(false), { withinMs: 5, everyMs: 1 });
  await expect(never).rejects.toThrow("waited 0.005 s for Godot");
});

test("a question that fails ends the wait at once", async () => {
  let asked = 0;
  const failing = until("an answer", () => {
    asked += 1;
    return Promise.reject(new Error("refused"));
  });
  await expect(failing).rejects.toThrow("refused");
  expect(asked).toBe(1);
});
