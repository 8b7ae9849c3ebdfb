import { expect, test } from "@jest/globals";
import { isAtLeast, isProgram, printedVersion, runProgram } from "../../src/binaries/program.ts";

test.each([
  ["2.12.15", "2.12.0", true],
  ["2.9.10", "2.12.0", false],
  ["2.12", "2.12.0", true],
  ["3", "2.12.0", true],
  ["2.11.99", "2.12.0", false],
  ["156.0.1", "120.0", true],
])("version %s is at least %s: %s", (version, minimum, expected) => {
  expect(isAtLeast(version, minimum)).toBe(expected);
});

test("a program that prints no version has none", () => {
  expect(printedVersion("echo", ["dev build"])).toBeUndefined();
  expect(printedVersion("echo", ["nats-server: v2.12.15"])).toBe("2.12.15");
});

test("a program that is missing, fails or takes too long is not ok, and never throws", async () => {
  expect((await runProgram("no-such-program", [])).ok).toBe(false);
  expect(await runProgram("sh", ["-c", "echo why >&2; exit 3"])).toEqual({
    ok: false,
    status: 3,
    output: "why\n",
  });
  expect((await runProgram("sleep", ["60"], { withinMs: 50 })).ok).toBe(false);
});

test("a file that may not be run is no program", () => {
  expect(isProgram(process.execPath)).toBe(true);
  expect(isProgram(new URL(import.meta.url).pathname)).toBe(false);
});
