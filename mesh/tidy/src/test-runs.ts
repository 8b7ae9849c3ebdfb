import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./source-tree.ts";

/** How many tests ended how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What mesh/tidy/jest/tally-reporter.mjs writes. */
interface Report {
  readonly passed: number;
  /** A suite that could not be loaded counts as one. */
  readonly failed: number;
  /** Path and name of each. */
  readonly skipped: readonly string[];
}

/** Files at a time on two cores. The parts keep both busy; the stories took 11:38, 7:04, 6:20 by ones, twos, threes. */
const PARTS = 2;
const STORIES = 3;

/**
 * Runs the tests in three goes: the parts with a coverage gate and those without, then the stories, of which each file
 * starts a platform.
 *
 * @param options.fast - leaves out every test that needs a server, and with them the stories and the coverage gates
 */
export function* runTests(options: { fast: boolean }): Generator<Promise<Tally>> {
  if (options.fast) {
    yield jest("fast", []);
    return;
  }
  yield jest("covered", ["--coverage", `--maxWorkers=${PARTS}`]);
  yield jest("uncovered", [`--maxWorkers=${PARTS}`]);
  yield jest("stories", [`--maxWorkers=${STORIES}`]);
}

async function jest(
  select: "fast" | "covered" | "uncovered" | "stories",
  args: readonly string[],
): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-tests-"));
  const report = join(folder, "report.json");
  try {
    const code = await spawned(args, { SELECT: select, TALLY: report });
    return tallyOf(JSON.parse(readFileSync(report, "utf8")) as Report, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jest's own lines go to stderr as it works. */
function spawned(args: readonly string[], environment: Record<string, string>): Promise<number> {
  const reporters = ["default", "./mesh/tidy/jest/tally-reporter.mjs"].map((name) => `--reporters=${name}`);
  const config = ["-c", "mesh/tidy/jest/jest.config.mjs", "--colors=false", ...reporters];
  const child = spawn("jest", [...config, ...args], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      ...environment,
      NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
    },
  });
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("exit", (code) => done(code ?? 1));
  });
}

/** A coverage gate that was missed counts as a failure. */
function tallyOf({ passed, failed, skipped }: Report, code: number): Tally {
  for (const test of skipped) process.stdout.write(`- skipped: ${test.slice(ROOT.length + 1)}\n`);
  return { passed, failed: failed === 0 && code !== 0 ? 1 : failed, skipped: skipped.length };
}
