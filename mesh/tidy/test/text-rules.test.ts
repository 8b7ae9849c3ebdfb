import { describe, expect, test } from "@jest/globals";
import { sourceFiles } from "../src/source-tree.ts";
import { breaches, longLines } from "../src/text-rules.ts";

const at = (path: string, text: string) => breaches({ path, text });

describe("every file keeps the rules of the house", () => {
  test("no line breaks a text rule", () => {
    expect(sourceFiles(/./).flatMap((file) => breaches(file))).toEqual([]);
  });

  test("no line of code is longer than it may be", () => {
    expect(sourceFiles(/^(services|edge|mesh|contracts)\/.*\.(ts|sql)$/).flatMap(longLines)).toEqual([]);
  });
});

describe("each rule can fail", () => {
  test.each([
    ["services/a/src/main.ts", "const x = process.env.X;", "environment"],
    ["services/a/src/domain/b.ts", "const t = Date.now();", "time and chance"],
    ["mesh/chassis/src/postgres/pool.ts", "const id = randomUUID();", "time and chance"],
    ["services/a/src/application/b.ts", 'query("select 1")', "SQL lives"],
    ["mesh/chassis/src/outbox/relay.ts", "const job = 1;", "domain noun"],
    ["services/a/src/domain/b.ts", "export enum A { B }", "erasable"],
    ["services/a/src/domain/b.ts", "// TODO later", "unfinished"],
    ["README.md", `see /${"home"}/ada/thing`, "machine"],
    ["services/a/src/domain/b.ts", 'import { a } from "./b";', "name their file"],
    ["services/a/src/utils.ts", "export const a = 1;", "vague"],
    ["services/a/src/domain/b.ts", "try { a(); } catch {}", "swallowed"],
  ])("%s with `%s` is refused", (path, text, rule) => {
    expect(at(path, text).join("\n")).toContain(rule);
  });

  test.each([
    ["mesh/chassis/src/config/read-config.ts", "const x = process.env.X;"],
    ["mesh/chassis/src/time/clock.ts", "return Date.now();"],
    ["services/a/src/adapters/postgres/b-statements.ts", "text: `select 1`"],
    ["services/a/src/domain/b.ts", "// Date.now() is not read here"],
    ["services/a/src/domain/b.ts", 'import { a } from "./b.ts";'],
  ])("%s may hold `%s`", (path, text) => {
    expect(at(path, text)).toEqual([]);
  });
});
