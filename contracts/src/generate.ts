/**
 * Writes everything that is made from the protos beside their code: OpenAPI, AsyncAPI, schemas, policy. With `--check`
 * it writes nothing and exits with 1 where a file is stale, missing or left over.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildImage, readContract } from "./image/contract-image.ts";
import { GENERATED_FOLDERS, outputs } from "./outputs.ts";
import { newestRelease } from "./schema/released.ts";

const home = fileURLToPath(new URL("..", import.meta.url));
const isCheck = process.argv.includes("--check");

const contract = readContract(await buildImage(".", join(home, "..")));
const files = outputs(contract, newestRelease(join(home, "released"))?.schemas);
const stale = [...files].filter(([path, text]) => textOf(path) !== text).map(([path]) => path);
const leftOver = GENERATED_FOLDERS.flatMap(filesBelow).filter((path) => !files.has(path));

if (isCheck) {
  for (const path of stale) process.stdout.write(`contracts/${path}: not what the protos say\n`);
  for (const path of leftOver) process.stdout.write(`contracts/${path}: nothing in the protos asks for it\n`);
  process.exitCode = stale.length + leftOver.length > 0 ? 1 : 0;
} else {
  for (const path of leftOver) rmSync(join(home, path));
  for (const path of stale) {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), files.get(path) ?? "");
  }
  process.stdout.write(`contracts: ${files.size} generated files, ${stale.length} changed\n`);
}

function textOf(path: string): string | undefined {
  const file = join(home, path);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function filesBelow(folder: string): readonly string[] {
  const root = join(home, folder);
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length));
}
