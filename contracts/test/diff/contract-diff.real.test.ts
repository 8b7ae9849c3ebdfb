import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { DIFF_RULES } from "../../src/diff/contract-diff.ts";
import { findingLine } from "../../src/diff/finding.ts";
import { BREAKING_CHANGES } from "./breaking-changes.ts";
import { COMPATIBLE_CHANGES } from "./compatible-changes.ts";
import { apply, type Baseline, baseline, inParallel } from "./proto-change.ts";

/** Copies that are built and compared at once: each takes a process of its own. */
const WIDTH = 3;
const LIMIT_MS = 600_000;

let before: Baseline;
beforeAll(async () => {
  before = await baseline();
});
afterAll(() => before[Symbol.dispose]());

describe("a change that breaks a promise", () => {
  test(
    "is stopped by the rules that the table names, and passes when they are switched off",
    async () => {
      const rows = await inParallel(BREAKING_CHANGES, WIDTH, async (change, at) => {
        const applied = await apply(before, change, at);
        const found = await applied.findings();
        const rules = [...new Set(found.map(({ rule }) => rule))].sort();
        const left = await applied.findings(new Set(change.stoppedBy));
        return { change, rules, left, line: found[0] === undefined ? "" : findingLine(found[0]) };
      });
      for (const { change, rules } of rows)
        process.stdout.write(`${rules.join(" ").padEnd(48)} ${change.title}\n`);
      process.stdout.write(`${rows.length} breaking changes, all stopped\n`);
      expect(rows.map(({ change, rules }) => [change.title, rules])).toEqual(
        rows.map(({ change }) => [change.title, [...change.stoppedBy].sort()]),
      );
      expect(rows.filter(({ left }) => left.length > 0).map(({ change }) => change.title)).toEqual([]);
      for (const { line } of rows)
        expect(line).toMatch(/^proto\/orrery\/[a-z0-9/_]+\.proto:\d+:\d+: \S+: .+; .+$/);
      expect(rows.length).toBeGreaterThanOrEqual(60);
    },
    LIMIT_MS,
  );

  test("is in the table at least twice for each rule of ours", () => {
    const stopped = BREAKING_CHANGES.flatMap(({ stoppedBy }) => stoppedBy);
    for (const { name } of DIFF_RULES) {
      expect([name, stopped.filter((rule) => rule === name).length >= 2]).toEqual([name, true]);
    }
  });
});

describe("a change that breaks nothing", () => {
  test(
    "passes",
    async () => {
      const rows = await inParallel(COMPATIBLE_CHANGES, WIDTH, async (change, at) => {
        const applied = await apply(before, change, 1_000 + at);
        return { title: change.title, found: (await applied.findings()).map(findingLine) };
      });
      for (const { title } of rows) process.stdout.write(`${"passes".padEnd(48)} ${title}\n`);
      expect(rows.filter(({ found }) => found.length > 0)).toEqual([]);
      expect(rows.length).toBeGreaterThanOrEqual(30);
    },
    LIMIT_MS,
  );
});
