import { expect, test } from "@jest/globals";
import { tasksOf, wordOf } from "../../../src/adapters/events/ready-word.ts";

test("another replica hears the tasks that became ready", () => {
  expect(tasksOf(wordOf(new Set(["invoice.send", "a,b"])))).toEqual(new Set(["invoice.send", "a,b"]));
});

test("a ring for all tasks, or for very many, is heard as one for all", () => {
  const many = new Set(Array.from({ length: 101 }, (_, index) => `task.${index}`));
  expect([tasksOf(wordOf("all")), tasksOf(wordOf(many))]).toEqual(["all", "all"]);
});

test("a word that cannot be read rings for all tasks", () => {
  expect(["", "{}", "nonsense"].map(tasksOf)).toEqual(["all", "all", "all"]);
});
