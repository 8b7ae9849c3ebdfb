import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { buildWebPage } from "../src/web-page.ts";

test("the page is built once for the same sources, with a production React", async () => {
  const said: string[] = [];
  const first = (await buildWebPage((line) => void said.push(line))) ?? "";
  const beganMs = performance.now();
  expect(await buildWebPage((line) => void said.push(line))).toBe(first);
  expect(performance.now() - beganMs).toBeLessThan(1_000);
  expect(said).toEqual([]);
  const html = readFileSync(join(first, "index.html"), "utf8");
  const script = /src="(\/assets\/index-[^"]+\.js)"/.exec(html)?.[1] ?? "";
  expect(existsSync(join(first, `${script}.br`))).toBe(true);
  expect(readFileSync(join(first, script), "utf8")).not.toContain("Download the React DevTools");
}, 120_000);
