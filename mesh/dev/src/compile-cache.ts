import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "./binaries/program.ts";
import { COMPILE_CACHE, ROOT } from "./places.ts";

const WARM_WITHIN_MS = 30_000;

/**
 * Fills the cache for programs whose sources are not in it yet, so that already the first start is small and
 * quick. Node writes the cache when a process ends, so each program is run once without a configuration: it
 * loads all that it imports, finds every setting missing and ends. Does nothing when no source has changed
 * since the last time.
 */
export async function warmCompileCache(mains: readonly string[]): Promise<void> {
  const mark = join(COMPILE_CACHE, `warm-${sourceState(mains)}`);
  if (existsSync(mark)) return;
  mkdirSync(COMPILE_CACHE, { recursive: true });
  const env = { PATH: process.env.PATH ?? "", NODE_COMPILE_CACHE: COMPILE_CACHE };
  for (const main of new Set(mains.filter((path) => existsSync(path)))) {
    await runProgram(process.execPath, [main], { env, cwd: ROOT, withinMs: WARM_WITHIN_MS });
  }
  writeFileSync(mark, "");
}

/**
 * Changes whenever a source file does, or Node. Contents are not read: that would cost more than it saves.
 */
function sourceState(mains: readonly string[]): string {
  const hash = createHash("sha256").update(`${process.version}\n${mains.join("\n")}\n`);
  const pattern = "{services,edge,mesh,contracts}/**/src/**/*.ts";
  for (const path of globSync(pattern, {
    cwd: ROOT,
    exclude: (entry) => entry.includes("node_modules"),
  }).sort()) {
    const { size, mtimeMs } = statSync(join(ROOT, path));
    hash.update(`${path}:${size}:${mtimeMs}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}
