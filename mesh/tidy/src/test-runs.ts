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

interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numFailedTestSuites: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly testResults: readonly { readonly name: string; readonly assertionResults: readonly JestTest[] }[];
}

interface JestTest {
  readonly fullName: string;
  readonly status: string;
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
    const code = await spawned(["--json", `--outputFile=${report}`, ...args], select);
    return tallyOf(JSON.parse(readFileSync(report, "utf8")) as JestReport, code);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Jest's own lines go to stderr as it works; its JSON on stdout is dropped, the file holds it. */
function spawned(args: readonly string[], select: string): Promise<number> {
  const child = spawn("jest", ["-c", "mesh/tidy/jest/jest.config.mjs", "--colors=false", ...args], {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      SELECT: select,
      NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
    },
  });
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("exit", (code) => done(code ?? 1));
  });
}

/** A suite that could not be loaded, and a coverage gate that was missed, count as a failure each. */
function tallyOf(report: JestReport, code: number): Tally {
  for (const { name, assertionResults } of report.testResults) {
    for (const { fullName, status } of assertionResults) {
      if (status === "pending")
        process.stdout.write(`- skipped: ${name.slice(ROOT.length + 1)}: ${fullName}\n`);
    }
  }
  const failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && code !== 0 ? 1 : failed,
    skipped: report.numPendingTests,
  };
}
