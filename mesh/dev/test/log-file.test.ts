import { mkdtempSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { LogFile } from "../src/log-file.ts";

test("a log past its limit starts anew under a writer that goes on, and the old part is kept once", () => {
  const folder = mkdtempSync(join(tmpdir(), "orrery-log-"));
  const log = new LogFile(join(folder, "logs/a.log"));
  writeFileSync(log.path, "x".repeat(16 * 1024 * 1024));
  const writer = log.open();
  log.bound();
  writeSync(writer.descriptor, "first\nsecond\n");
  writer.close();
  expect(log.lastLines(1)).toEqual(["second"]);
  expect(statSync(log.path).size).toBe(13);
  expect(statSync(`${log.path}.1`).size).toBe(16 * 1024 * 1024);
  rmSync(folder, { recursive: true });
});
