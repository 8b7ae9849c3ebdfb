import { readFileSync } from "node:fs";
import { expect, test } from "@jest/globals";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test.each(["outbox/outbox.sql", "idempotency/idempotency.sql"])(
  "the first migration holds the chassis' own %s, on which its code is tested",
  (file) => {
    const [, ...tables] = read(`../../../mesh/chassis/src/${file}`).split("\n\n");
    const migration = read("../migrations/0001_mission.sql");
    expect(tables.length).toBeGreaterThan(1);
    expect(tables.filter((part) => !migration.includes(part.trim()))).toEqual([]);
  },
);
