import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { writeKeys } from "../src/api-keys.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "orrery-keys-"));
});
afterEach(() => {
  rmSync(home, { recursive: true });
});

const hashesIn = (file: string): string[] =>
  JSON.parse(readFileSync(file, "utf8")).keys.map(({ sha256 }: { sha256: string }) => sha256);

test("a project keeps its keys from one start to the next", () => {
  const first = hashesIn(writeKeys(home, ["demo"]).keysFile);
  const second = hashesIn(writeKeys(home, ["demo"]).keysFile);
  expect(second).toEqual(first);
});

test("a project that is no longer named loses its access, and has it back when it is named again", () => {
  const before = hashesIn(writeKeys(home, ["demo", "other"]).keysFile);
  expect(hashesIn(writeKeys(home, ["demo"]).keysFile)).toHaveLength(2);
  expect(hashesIn(writeKeys(home, ["demo", "other"]).keysFile)).toEqual(before);
});
