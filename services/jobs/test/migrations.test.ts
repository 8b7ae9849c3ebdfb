import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the outbox of the first migration is the chassis' own, on which the relay is tested", () => {
  const [, ...tables] = read("../../../mesh/chassis/src/outbox/outbox.sql").split("\n\n");
  expect(tables.length).toBeGreaterThan(5);
  const migration = read("../migrations/0001_job.sql");
  expect(tables.filter((part) => !migration.includes(part.trim()))).toEqual([]);
});
