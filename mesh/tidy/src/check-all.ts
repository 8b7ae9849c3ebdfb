/**
 * Runs every check of `make test` and ends with one line: `N passed, N failed, N skipped`.
 *
 * `--fast` leaves out what needs a server; `--only lint` runs the checks of that group alone. With CI=true a skipped
 * test counts as failed: whatever a test needs can be had there.
 */
import { type Check, staticChecks } from "./static-checks.ts";
import { runTests, type Tally } from "./test-runs.ts";

const fast = process.argv.includes("--fast");
const only = process.argv.includes("--only") ? process.argv.at(-1) : undefined;
const inCi = process.env.CI === "true";

const total: { passed: number; failed: number; skipped: number } = { passed: 0, failed: 0, skipped: 0 };

function add(tally: Tally): void {
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
}

async function report(check: Check): Promise<void> {
  const began = performance.now();
  const outcome = await check.run();
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  if (outcome.skipped) {
    process.stdout.write(`- ${check.name}: skipped: ${outcome.skipped}\n`);
  } else {
    process.stdout.write(`${outcome.ok ? "✓" : "✗"} ${check.name} (${seconds} s)\n`);
  }
  if (!outcome.ok) process.stdout.write(`${outcome.output.trimEnd()}\n  fix: ${check.fix}\n`);
  add({
    passed: Number(outcome.ok && !outcome.skipped),
    failed: Number(!outcome.ok),
    skipped: Number(!!outcome.skipped),
  });
}

await Promise.all(staticChecks.filter(({ group }) => only === undefined || group === only).map(report));
if (only === undefined) {
  for (const tally of runTests({ fast })) add(await tally);
}
if (inCi && total.skipped > 0) {
  process.stdout.write(`with CI=true nothing may be skipped, and ${total.skipped} were\n`);
  total.failed += total.skipped;
  total.skipped = 0;
}
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = total.failed === 0 ? 0 : 1;
