import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { buildImage, readContract } from "@orrery/contracts/image/contract-image";
import { GENERATED_MARK } from "../src/manifest.ts";
import { GENERATED_FOLDERS, outputs } from "../src/outputs.ts";
import { DEPLOY, ROOT } from "./resources.ts";

const files = outputs(readContract(await buildImage(".", ROOT)));

test.each([...files.keys()])("%s is what topology and contracts make of it: make generate", (path) => {
  expect(readFileSync(join(DEPLOY, path), "utf8")).toBe(files.get(path));
});

test("nothing else lies where generated files do", () => {
  const there = GENERATED_FOLDERS.flatMap((folder) => globSync(`${folder}/**`, { cwd: DEPLOY })).filter(
    (path) => statSync(join(DEPLOY, path)).isFile(),
  );
  expect(there.filter((path) => !files.has(path))).toEqual([]);
});

test("a generated file says so, where its reader lets it", () => {
  const mark = GENERATED_MARK.slice(2);
  const silent = [...files].filter(([path, text]) => !path.endsWith("nats.conf") && !text.includes(mark));
  expect(silent.map(([path]) => path)).toEqual([]);
});
