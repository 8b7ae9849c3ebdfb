import { writeFileSync } from "node:fs";

/**
 * Writes how many tests ended how to the file that TALLY names. Jest's own `--json` holds the errors as well, and ends
 * the run where one cannot be written: a ConnectError with details refers to itself.
 */
export default class TallyReporter {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap(({ testFilePath, testResults }) =>
      testResults
        .filter(({ status }) => status === "pending")
        .map(({ fullName }) => `${testFilePath}: ${fullName}`),
    );
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    writeFileSync(process.env.TALLY, JSON.stringify({ passed: results.numPassedTests, failed, skipped }));
  }
}
