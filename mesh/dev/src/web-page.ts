import { createHash } from "node:crypto";
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { runProgram } from "./binaries/program.ts";
import { ROOT } from "./places.ts";

/** Built pages of every platform started from this checkout, each named by the sources it was made from. */
const BUILDS = join(ROOT, ".orrery/web");
const SOURCES = [
  "edge/web/{index.html,package.json,vite.config.ts}",
  "edge/web/{src,build}/**/*",
  "package-lock.json",
];
const BUILD_WITHIN_MS = 120_000;
/** A build that nobody has started with for so long is removed. */
const KEEP_MS = 7 * 86_400_000;

/**
 * Builds the web page, unless these very sources have been built before.
 *
 * Launchers side by side do not disturb each other: each builds into a folder of its own and moves it into place whole.
 *
 * @param print - takes a line where the page could not be built: the platform runs without it
 * @returns the folder for the gateway's `ORRERY_WEB_DIR`; undefined where there is none
 */
export async function buildWebPage(print: (line: string) => void): Promise<string | undefined> {
  const folder = join(BUILDS, sourceState());
  if (!existsSync(folder)) {
    const made = `${folder}.${process.pid}`;
    mkdirSync(BUILDS, { recursive: true });
    const vite = join(ROOT, "node_modules/vite/bin/vite.js");
    const args = [vite, "build", join(ROOT, "edge/web"), "--outDir", made, "--logLevel", "warn"];
    const { ok, output } = await runProgram(process.execPath, args, {
      cwd: ROOT,
      withinMs: BUILD_WITHIN_MS,
      // Said by us: under a test runner it would be another one, and the page a slow one.
      env: { PATH: process.env.PATH ?? "", NODE_ENV: "production" },
    });
    if (!ok) {
      rmSync(made, { recursive: true, force: true });
      print(`the web page could not be built, the rest starts without it:\n${output.trim()}`);
      return undefined;
    }
    moveIntoPlace(made, folder);
  }
  removeOld(folder);
  return folder;
}

/** Where another launcher was quicker, its build is as good as ours. */
function moveIntoPlace(made: string, folder: string): void {
  try {
    renameSync(made, folder);
  } catch (error) {
    rmSync(made, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
}

function removeOld(current: string): void {
  const now = Date.now() / 1_000;
  utimesSync(current, now, now);
  for (const name of readdirSync(BUILDS)) {
    const path = join(BUILDS, name);
    const lastUsedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - lastUsedMs > KEEP_MS) rmSync(path, { recursive: true, force: true });
  }
}

/** Changes whenever a source file does. Its few hundred kilobytes are read in some milliseconds. */
function sourceState(): string {
  const hash = createHash("sha256");
  for (const path of globSync(SOURCES, { cwd: ROOT }).sort()) {
    const file = join(ROOT, path);
    if (statSync(file).isFile()) hash.update(`${path}\n`).update(readFileSync(file));
  }
  return hash.digest("hex").slice(0, 16);
}
