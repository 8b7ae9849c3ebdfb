/**
 * `make gate`: the integration gate (requirement O10) on a platform of its own, with Elasticsearch, Prometheus and
 * Alertmanager: six steps, a line each with its time. Ends non-zero at the first step that fails.
 *
 * `make gate BREAK=3` stops the process that the third step rests on right before it, and passes if that very step
 * fails; `BREAK=each` does so for every step, on a platform each.
 */
import { Platform } from "../../dev/testing/platform.ts";
import { STEPS } from "./steps.ts";
import type { Step, World } from "./world.ts";

const PATIENCE_MS = 150_000;
const BROKEN_PATIENCE_MS = 8_000;
const SETTINGS = { ORRERY_PORT: "4840", READ_MODEL: "elasticsearch", OBSERVE: "1" };
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const secondsSince = (fromMs: number): string =>
  `${((performance.now() - fromMs) / 1_000).toFixed(1)} s`.padStart(8);

const toBreak = process.env.BREAK ?? "";
const passed =
  toBreak === ""
    ? (await firstFailure(undefined)) === undefined
    : await breakEach(toBreak === "each" ? STEPS.keys() : [Number(toBreak) - 1]);
process.exitCode = passed ? 0 : 1;

/** Breaks each of these steps in turn. @returns whether each was caught at that very step */
async function breakEach(positions: Iterable<number>): Promise<boolean> {
  let missed = 0;
  for (const position of positions) {
    const step = STEPS[position];
    if (step === undefined) throw new RangeError(`BREAK is each, or 1 to ${STEPS.length}`);
    print(`\nwithout ${step.restsOn}, step ${position + 1} has to fail:`);
    const failedAt = await firstFailure(position);
    if (failedAt === position) {
      print(`caught at step ${position + 1}`);
      continue;
    }
    missed += 1;
    print(`MISSED: it failed at ${failedAt === undefined ? "no step" : failedAt + 1}`);
  }
  return missed === 0;
}

/** Runs the gate on a platform of its own, and says which step failed; undefined where all passed. */
async function firstFailure(breakAt: number | undefined): Promise<number | undefined> {
  const began = performance.now();
  await using platform = await Platform.start(SETTINGS);
  print(`✓ ${"the platform is ready".padEnd(42)} ${secondsSince(began)}  on Elasticsearch, observed`);
  const prometheusUrl = platform.run.prometheus?.url ?? "";
  const world: World = { platform, prometheusUrl, patienceMs: PATIENCE_MS, jobId: "", succeededBefore: 0 };
  for (const [position, step] of STEPS.entries()) {
    const broken = position === breakAt;
    const pid = broken ? platform.pidOf(step.restsOn) : undefined;
    if (pid !== undefined) process.kill(pid, "SIGSTOP");
    try {
      if (!(await passes(step, broken ? { ...world, patienceMs: BROKEN_PATIENCE_MS } : world)))
        return position;
    } finally {
      if (pid !== undefined) process.kill(pid, "SIGCONT");
    }
  }
  return undefined;
}

async function passes(step: Step, world: World): Promise<boolean> {
  const from = performance.now();
  try {
    const seen = await step.run(world);
    print(`✓ ${step.name.padEnd(42)} ${secondsSince(from)}  ${seen}`);
    return true;
  } catch (error) {
    const [why = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    print(`✗ ${step.name.padEnd(42)} ${secondsSince(from)}  ${why}`);
    return false;
  }
}
