// One project for each workspace, so that a failure names its owner. Set by the runner (mesh/tidy/src/test-runs.ts):
// SELECT=fast leaves out the tests that need a server, SELECT=stories runs those that need the whole platform; of the
// parts, which are all others, SELECT=covered and SELECT=uncovered run those with and without a coverage gate.
import { existsSync, readdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const below = (folder) =>
  readdirSync(`${root}/${folder}`, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? [`${folder}/${entry.name}`] : [],
  );
const workspaces = ["contracts", "mesh", ...below("services"), ...below("edge")];
const select = process.env.SELECT ?? "parts";

/** What has to be covered by its own tests. To watch it makes a test file a third slower: the others go without. */
const COVERED = [...below("services"), "edge/gateway", "edge/transcoder", "edge/cli", "mesh/chassis"];
const covered = `(${COVERED.join("|")})/`;
const parts = { match: "**/*.test.ts", servers: true };
const CHOSEN = {
  fast: { match: "**/*.test.ts", ignore: ["\\.real\\.test\\.ts$", "/stories/"], servers: false },
  parts: { ...parts, ignore: ["/stories/"] },
  covered: { ...parts, ignore: ["/stories/", `<rootDir>/(?!${covered})`] },
  uncovered: { ...parts, ignore: ["/stories/", `<rootDir>/${covered}`] },
  stories: { match: "**/stories/**/*.test.ts", ignore: [], servers: false },
}[select];

// Pact would tell its makers of each run; it reads this from the environment of the process, which tests cannot set.
process.env.PACT_DO_NOT_TRACK = "1";

const setup = `${root}/mesh/tidy/jest/global-setup.mjs`;
const teardown = `${root}/mesh/tidy/jest/global-teardown.mjs`;

export default {
  rootDir: root,
  coverageProvider: "v8",
  coverageDirectory: ".orrery/coverage",
  coverageReporters: ["json-summary", "text-summary"],
  collectCoverageFrom: [
    ...COVERED.map((folder) => `${folder}/src/**/*.ts`),
    // Types alone, and what only a process of its own runs: the service tests start those processes.
    ...["main", "migrate", "ports"].map((name) => `!**/${name}.ts`),
    "!mesh/chassis/src/lifecycle/service.ts",
    // Runs in a thread, which coverage does not see; the conformance suite holds it to the same tests as Elasticsearch.
    "!services/observatory/src/adapters/embedded/*.ts",
  ],
  // Requirement E4: domain at least 85 %, adapters 70 %, and the critical path, which is the execution of jobs, 90 %.
  ...(select === "covered" && process.argv.includes("--coverage")
    ? {
        coverageThreshold: {
          "./services/jobs/src/domain/": { lines: 90 },
          "./services/jobs/src/application/": { lines: 90 },
          "./services/jobs/src/adapters/": { lines: 90 },
          "./services/worker/src/domain/": { lines: 90 },
          "./services/worker/src/application/": { lines: 85 },
          "./services/worker/src/adapters/": { lines: 70 },
          "./services/observatory/src/domain/": { lines: 85 },
          "./services/observatory/src/adapters/": { lines: 70 },
          "./services/orchestrator/src/domain/": { lines: 95 },
          "./services/orchestrator/src/application/": { lines: 90 },
          "./services/orchestrator/src/adapters/": { lines: 90 },
          "./services/alerts/src/domain/": { lines: 90 },
          "./services/alerts/src/application/": { lines: 85 },
          "./services/alerts/src/adapters/": { lines: 85 },
          "./mesh/chassis/src/": { lines: 85 },
          "./edge/gateway/src/": { lines: 70 },
          "./edge/transcoder/src/": { lines: 85 },
          "./edge/cli/src/": { lines: 70 },
        },
      }
    : {}),
  testTimeout: 30_000,
  ...(CHOSEN.servers && existsSync(setup) ? { globalSetup: setup, globalTeardown: teardown } : {}),
  projects: workspaces.map((workspace) => ({
    displayName: workspace,
    rootDir: root,
    testEnvironment: "node",
    testMatch: [`<rootDir>/${workspace}/${CHOSEN.match}`],
    testPathIgnorePatterns: ["/node_modules/", ...CHOSEN.ignore],
    extensionsToTreatAsEsm: [".ts"],
    transform: { "\\.ts$": "<rootDir>/mesh/tidy/jest/strip-types.mjs" },
    modulePathIgnorePatterns: ["<rootDir>/.orrery/"],
  })),
};
