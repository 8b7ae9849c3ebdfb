// One project for each workspace, so that a failure names its owner. Set by the runner (mesh/tidy/src/test-runs.ts):
// SELECT=fast leaves out the tests that need a server, SELECT=stories runs those that need the whole platform.
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

const CHOSEN = {
  fast: { match: "**/*.test.ts", ignore: ["\\.real\\.test\\.ts$", "/stories/"] },
  parts: { match: "**/*.test.ts", ignore: ["/stories/"] },
  stories: { match: "**/stories/**/*.test.ts", ignore: [] },
}[select];

const setup = `${root}/mesh/tidy/jest/global-setup.mjs`;
const teardown = `${root}/mesh/tidy/jest/global-teardown.mjs`;

export default {
  rootDir: root,
  coverageProvider: "v8",
  coverageDirectory: ".orrery/coverage",
  coverageReporters: ["json-summary", "text-summary"],
  collectCoverageFrom: [
    "services/*/src/**/*.ts",
    "edge/*/src/**/*.ts",
    "mesh/chassis/src/**/*.ts",
    "!**/main.ts",
  ],
  testTimeout: 30_000,
  ...(select === "parts" && existsSync(setup) ? { globalSetup: setup, globalTeardown: teardown } : {}),
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
