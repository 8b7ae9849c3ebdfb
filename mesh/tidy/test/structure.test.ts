import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { ROOT, sourceFiles } from "../src/source-tree.ts";

const tracked = sourceFiles(/./);

describe("the floor plan", () => {
  test("nothing stands at the top level but what the floor plan names", () => {
    const agreed = [
      ...["proto", "contracts", "services", "edge", "mesh", "buf.yaml", "buf.gen.yaml"],
      ...["package.json", "package-lock.json", "Makefile", "README.md", "LICENSE"],
    ];
    const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    const top = new Set(
      listed
        .trim()
        .split("\n")
        .map((path) => path.split("/")[0] ?? ""),
    );
    expect([...top].filter((name) => !name.startsWith(".") && !agreed.includes(name))).toEqual([]);
  });

  test("every path has an owner", () => {
    const rules = readFileSync(`${ROOT}/.github/CODEOWNERS`, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("/"))
      .map((line) => line.split(/\s+/)[0]?.slice(1) ?? "");
    const unowned = tracked
      .filter(({ path }) => !path.startsWith(".") && path.includes("/"))
      .filter(({ path }) => !rules.some((rule) => path.startsWith(rule)));
    expect(unowned.map(({ path }) => path)).toEqual([]);
  });

  test("every service has a README, a main and tests", () => {
    const services = new Set(tracked.flatMap(({ path }) => /^services\/([^/]+)\//.exec(path)?.[1] ?? []));
    const lacking = [...services].flatMap((name) =>
      ["README.md", "src/main.ts", "src/config.ts", "test"]
        .filter((part) => !existsSync(`${ROOT}/services/${name}/${part}`))
        .map((part) => `services/${name}/${part}`),
    );
    expect(lacking).toEqual([]);
  });

  test("a composition root is short", () => {
    const long = sourceFiles(/^(services|edge)\/[^/]+\/src\/main\.ts$/)
      .map(({ path, text }) => ({ path, lines: text.split("\n").length }))
      .filter(({ lines }) => lines > 120);
    expect(long).toEqual([]);
  });
});

describe("files and links", () => {
  test("every product file is imported by another, or is run by name", () => {
    const files = sourceFiles(/^(services|edge|mesh|contracts)\/.*\.(ts|mjs|cjs)$/);
    const everything = sourceFiles(/\.(ts|tsx|mjs|cjs|json|md)$|^Makefile$|^\.github\//);
    const all = everything.map(({ text }) => text).join("\n");
    const orphans = files
      .filter(({ path }) => path.includes("/src/") && !/\/(main|migrate)\.ts$/.test(path))
      .filter(({ path }) => {
        const name = path.split("/").pop() ?? "";
        const folder = path.split("/").at(-2) ?? "";
        const asPackage = `${folder}/${name.replace(/\.[a-z]+$/, "")}`;
        return !all.includes(`/${name}`) && !all.includes(asPackage);
      });
    expect(orphans.map(({ path }) => path)).toEqual([]);
  });

  test("every path that a README names exists", () => {
    const broken = sourceFiles(/README\.md$|^contracts\/.*\.md$/).flatMap(({ path, text }) =>
      [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].flatMap(([, target = ""]) =>
        existsSync(join(ROOT, dirname(path), target)) ? [] : [`${path}: ${target}`],
      ),
    );
    expect(broken).toEqual([]);
  });

  test("every name in a migrations folder is numbered, and goes up and down", () => {
    const migrations = sourceFiles(/\/migrations\/.*\.sql$/);
    const wrong = migrations.filter(
      ({ path, text }) =>
        !/\/\d{4}_[a-z0-9_]+\.sql$/.test(path) ||
        !text.includes("-- Up Migration") ||
        !text.includes("-- Down Migration"),
    );
    expect(wrong.map(({ path }) => path)).toEqual([]);
  });
});

describe("the lock file", () => {
  test("holds no download address", () => {
    const lock = readFileSync(`${ROOT}/package-lock.json`, "utf8");
    expect([...lock.matchAll(/"resolved": "(https?:[^"]*)"/g)].map(([, address]) => address)).toEqual([]);
  });
});
