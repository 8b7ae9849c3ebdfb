// One project for each workspace, so that a failure names its owner. FAST=1 leaves out the tests that need a server.
import { readdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");
const below = (folder) => readdirSync(`${root}/${folder}`, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [`${folder}/${entry.name}`] : [],
);
const workspaces = ["contracts", "mesh", ...below("services"), ...below("edge")];
const fast = process.env.FAST === "1";

export default {
  rootDir: root,
  coverageProvider: "v8",
  testTimeout: 30_000,
  projects: workspaces.map((workspace) => ({
    displayName: workspace,
    rootDir: root,
    testEnvironment: "node",
    testMatch: [`<rootDir>/${workspace}/**/*.test.ts`],
    testPathIgnorePatterns: ["/node_modules/", ...(fast ? ["\\.real\\.test\\.ts$"] : [])],
    extensionsToTreatAsEsm: [".ts"],
    transform: { "\\.ts$": "<rootDir>/mesh/tidy/jest/strip-types.mjs" },
    modulePathIgnorePatterns: ["<rootDir>/.orrery/"],
  })),
};
