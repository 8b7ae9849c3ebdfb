import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "@jest/globals";
import { resolveBinary } from "../../dev/src/binaries/resolve.ts";
import { yamlFilesOf } from "./alert-rules.ts";

const promtool = (await resolveBinary("promtool")).path;
const run = async (args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await promisify(execFile)(promtool, [...args], { timeout: 240_000 });
  return stdout + stderr;
};

test("Prometheus understands every rule", async () => {
  const said = await run(["check", "rules", ...yamlFilesOf("rules")]);
  expect(said.match(/SUCCESS: [1-9]\d* rules found/g)).toHaveLength(yamlFilesOf("rules").length);
});

test("every alert fires when it should and not when it should not", async () => {
  const said = await run(["test", "rules", ...yamlFilesOf("test/rules")]);
  expect(said.match(/SUCCESS/g)).toHaveLength(yamlFilesOf("test/rules").length);
}, 250_000);
