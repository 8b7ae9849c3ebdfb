import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { durationMs, durationText, labelsOf, readInput, wholeNumber } from "../src/input.ts";

async function* chunks(...texts: string[]) {
  for (const text of texts) yield Buffer.from(text);
}
const read = (given: string | undefined, ...settings: string[]) => readInput(given, settings, chunks());

describe("the input of a job", () => {
  test("goes out as it was written, to the last digit", async () => {
    const text = '{"n": 9007199254740993, "e": 1e400, "s": "ü"}';
    expect(await read(text)).toBe(text);
  });

  test("comes from a file or from standard input", async () => {
    const folder = mkdtempSync(join(tmpdir(), "orrery-cli-"));
    writeFileSync(join(folder, "in.json"), '{"a": 1}\n');
    expect(await read(`@${join(folder, "in.json")}`)).toBe('{"a": 1}');
    rmSync(folder, { recursive: true });
    expect(await readInput("-", [], chunks('{"a": "\u00fc', '"}'))).toBe('{"a": "ü"}');
  });

  test("is built up by --set, each value JSON where it reads as JSON", async () => {
    expect(await read(undefined, "a.b=1", "a.c=text", "d=[true]", "e=null", 'f="1"', "g=")).toBe(
      '{"a":{"b":1,"c":"text"},"d":[true],"e":null,"f":"1","g":""}',
    );
    expect(await read('{"a": {"b": 1}, "z": 2}', "a.b=3")).toBe('{"z":2,"a":{"b":3}}');
  });

  test.each([
    ["{a: 1}", [], /not JSON/],
    ["@nowhere.json", [], /nowhere\.json cannot be read \(ENOENT\)/],
    [undefined, ["novalue"], /a\.b=value/],
    [undefined, ["=1"], /a\.b=value/],
    ["[1]", ["a=1"], /no object/],
    ['{"a": 1}', ["a.b=1"], /no object/],
    ['{"n": 9007199254740993}', ["a=1"], /number at n/],
    [undefined, ["n=9007199254740993"], /too large/],
  ])("%s with --set %j is refused", async (given, settings, message) => {
    await expect(read(given, ...settings)).rejects.toThrow(message);
  });
});

describe("flags", () => {
  test.each([
    ["250ms", 250, "0.25s"],
    ["30s", 30_000, "30s"],
    ["5m", 300_000, "300s"],
    ["1.5h", 5_400_000, "5400s"],
    ["1d", 86_400_000, "86400s"],
  ])("%s is %i ms", (text, ms, api) => {
    expect(durationMs(text, "--delay")).toBe(ms);
    expect(durationText(text, "--delay")).toBe(api);
  });

  test.each(["", "5", "5 m", "-1s", "1w", "s"])("the duration %j is refused by name", (text) => {
    expect(() => durationMs(text, "--delay")).toThrow(/--delay/);
  });

  test.each(["", "1.5", "x", "10", "-1", "1e1"])("the number %j is refused by name", (text) => {
    expect(() => wholeNumber(text, "--priority", { min: 0, max: 9 })).toThrow(/--priority.*0 to 9/);
  });

  test("a label's value may hold anything, its key may not be absent", () => {
    expect(labelsOf(["a=b=c", "d="])).toEqual({ a: "b=c", d: "" });
    expect(() => labelsOf(["=c"])).toThrow(/key=value/);
  });
});
