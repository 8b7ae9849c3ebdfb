import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "@jest/globals";
import { buildImage, readContract } from "@orrery/contracts/image/contract-image";
import { GENERATED_MARK, generatedFiles } from "../src/generated-files.ts";

const FOLDER = resolve(import.meta.dirname, "..");
const files = generatedFiles(readContract(await buildImage(".", resolve(FOLDER, "../.."))));

test.each([...files.keys()])("%s is what the contracts make of it: make generate", (path) => {
  expect(readFileSync(join(FOLDER, path), "utf8")).toBe(files.get(path));
});

test("a generated file says so, where it can", () => {
  const silent = [...files].filter(
    ([path, text]) => !path.endsWith(".json") && !text.includes(GENERATED_MARK),
  );
  expect(silent.map(([path]) => path)).toEqual([]);
  expect(files.size).toBeGreaterThan(4);
});
