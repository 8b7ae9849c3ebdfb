import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";
import { ALERT_STATUSES, SEVERITIES } from "../src/domain/alert-state.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const migration = read("../migrations/0001_alert.sql");

test.each(["outbox/outbox.sql", "idempotency/idempotency.sql"])(
  "the first migration holds the chassis' own %s",
  (file) => {
    const [, ...tables] = read(`../../../mesh/chassis/src/${file}`).split("\n\n");
    expect(tables.length).toBeGreaterThan(1);
    expect(tables.filter((part) => !migration.includes(part.trim()))).toEqual([]);
  },
);

test("A1: the table's words are those of the domain", () => {
  const words = (of: readonly string[]): string => `(${of.map((word) => `'${word}'`).join(", ")})`;
  expect(migration).toContain(`(status in ${words(ALERT_STATUSES)})`);
  expect(migration).toContain(`(severity in ${words(SEVERITIES)})`);
});
