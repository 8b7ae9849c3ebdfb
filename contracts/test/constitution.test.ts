import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { hereAndNotYet, withSection } from "../src/constitution/readme-section.ts";
import {
  allowedWithoutCheck,
  type Check,
  FAMILIES,
  rulesIn,
  versionOf,
  waiversIn,
} from "../src/constitution/rules.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const constitution = read("contracts/CONSTITUTION.md");
const waivers = waiversIn(read("contracts/WAIVERS.md"));
const rules = rulesIn(constitution);

/** Where the rules of tools are named. */
const RULE_HOMES = [
  ".dependency-cruiser.mjs",
  ".oxlintrc.json",
  "mesh/tidy/src/text-rules.ts",
  "mesh/tidy/src/static-checks.ts",
].map(read);

/** What is wrong with a check; undefined where it is there and runs. */
function complaint(check: Check): string | undefined {
  if (check.kind === "rule") {
    return RULE_HOMES.some((home) => home.includes(`"${check.name}"`))
      ? undefined
      : `no rule "${check.name}"`;
  }
  if (!existsSync(join(ROOT, check.path))) return `${check.path} is not there`;
  if (check.kind === "generated") return undefined;
  const runs = /\.(test|conformance)\.ts$/.test(check.path);
  if (!runs) return `${check.path} is no test`;
  const line = read(check.path)
    .split("\n")
    .find((one) => one.includes(check.title));
  if (line === undefined) return `${check.path} has no test with "${check.title}" in its title`;
  return /\.(skip|todo)\b/.test(line) ? `${check.path}: "${check.title}" is skipped` : undefined;
}

describe("the constitution", () => {
  test("every rule of the requirements is here once", () => {
    const expected = Object.entries(FAMILIES).flatMap(([family, count]) =>
      Array.from({ length: count }, (_, index) => `${family}${index + 1}`),
    );
    expect(rules.map(({ id }) => id)).toEqual(expected);
  });

  test("no table row is left unread", () => {
    const rows = constitution.split("\n").filter((line) => /^\| [A-Z]\d+ \|/.test(line));
    expect(rows).toHaveLength(rules.length);
    for (const row of rows) {
      const named = row.match(/\]\(|rule "/g)?.length ?? 0;
      expect([row, rulesIn(row)[0]?.checks.length]).toEqual([row, named]);
    }
  });

  test("every check that a rule names is there and runs", () => {
    const wrong = rules.flatMap(({ id, checks }) =>
      checks.flatMap((check) => {
        const found = complaint(check);
        return found === undefined ? [] : [`${id}: ${found}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  test("a rule that is enforced, be it in part, names its check, and one that is not built names none", () => {
    const wrong = rules.filter(({ state, checks }) => (state === "not built") !== (checks.length === 0));
    expect(wrong.map(({ id }) => id)).toEqual([]);
  });

  test("no more rules are without a check than the constitution says", () => {
    const without = rules.filter(({ checks }) => checks.length === 0).length;
    expect(without).toBe(allowedWithoutCheck(constitution));
  });

  test("the version is that of the newest amendment", () => {
    const newest = /\| what changed \| impact \|\n\|-+\|-+\|-+\|\n\| (\d+\.\d+\.\d+) \|/.exec(
      constitution,
    )?.[1];
    expect(versionOf(constitution)).toBe(newest);
  });

  test("every module has a maturity", () => {
    const table = constitution.slice(
      constitution.indexOf("## Maturity"),
      constitution.indexOf("The phases:"),
    );
    const workspaces = (JSON.parse(read("package.json")) as { workspaces: string[] }).workspaces;
    expect(workspaces).toEqual(["contracts", "services/*", "edge/*", "mesh"]);
    for (const name of ["services", "edge"]) {
      for (const { folder } of workspaceFolders(name)) expect(table).toContain(folder);
    }
  });

  test("what the README says is here and is not here yet is what the constitution says", () => {
    const readme = read("README.md");
    expect(withSection(readme, hereAndNotYet(rules))).toBe(readme);
  });
});

describe("what the rules rest on", () => {
  test("every package of the design card is imported by the product", () => {
    const card = [
      ...["@grpc/grpc-js", "@bufbuild/protobuf", "@connectrpc/connect-node", "nats", "pg"],
      ...["@elastic/elasticsearch", "prom-client", "@opentelemetry/instrumentation-grpc", "opossum", "jest"],
    ];
    const imported = (name: string) => {
      const pattern = name === "jest" ? '"@jest/globals"' : `(from |require\\(|import\\()"${name}["/]`;
      const { status } = spawnSync("git", ["grep", "-qE", pattern, "--", "services", "edge", "mesh"], {
        cwd: ROOT,
      });
      return status === 0;
    };
    expect(card.filter((name) => !imported(name))).toEqual([]);
  });

  test("the coverage gates are those of the constitution", () => {
    const config = read("mesh/tidy/jest/jest.config.mjs");
    const gates = new Map(
      [...config.matchAll(/"\.\/(\S+)\/": \{ lines: (\d+) \}/g)].map(([, path = "", least]) => [
        path,
        Number(least),
      ]),
    );
    const low = workspaceFolders("services").flatMap(({ folder }) => {
      const atLeast =
        folder === "services/jobs" ? { domain: 90, adapters: 90 } : { domain: 85, adapters: 70 };
      return Object.entries(atLeast)
        .filter(([layer]) => existsSync(join(ROOT, folder, "src", layer)))
        .filter(([layer, least]) => (gates.get(`${folder}/src/${layer}`) ?? 0) < least)
        .map(([layer]) => `${folder}/src/${layer}`);
    });
    expect(low).toEqual([]);
  });

  test("the benchmark measures what the targets name", () => {
    const bench = read("mesh/bench/src/peers.ts");
    for (const line of ["submit one by one", "submit 1,000 at a time", "drain", "submitted to started"]) {
      expect(bench).toContain(line);
    }
  });

  test("dependencies are scanned on every push", () => {
    expect(read(".github/workflows/security-scan.yml")).toMatch(/on:\n {2}push:[\s\S]*npm audit/);
  });

  test("the pull request template asks what CI checks", () => {
    const asked = read(".github/pull_request_template.md").match(/^## (.+)$/gm) ?? [];
    const checked = read(".github/workflows/contracts.yml");
    for (const heading of asked.slice(1)) expect(checked).toContain(`"${heading.slice(3)}"`);
  });
});

describe("a waiver", () => {
  const days = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 86_400_000;

  test("no waiver has expired", () => {
    const today = new Date().toISOString().slice(0, 10);
    expect(waivers.filter(({ expires }) => expires < today)).toEqual([]);
  });

  test("lasts 13 days at most for coverage, and 90 for anything else", () => {
    for (const { rule, granted, expires } of waivers) {
      expect(days(granted, expires)).toBeLessThanOrEqual(rule === "E4" ? 13 : 90);
    }
  });

  test("is of a rule that is there, and every row is read whole", () => {
    const rows = read("contracts/WAIVERS.md")
      .split("\n")
      .filter((line) => /^\| [A-Z]\d/.test(line));
    expect(waivers).toHaveLength(rows.length);
    for (const { rule } of waivers) expect(rules.map(({ id }) => id)).toContain(rule);
  });

  test("that lacks an end, or an owner, is not read as one", () => {
    const row = "| E4 | ada | new code | tests next week | low | 2026-01-01 | 2026-01-10 |";
    expect(waiversIn(row)).toHaveLength(1);
    expect(waiversIn(row.replace("2026-01-10", "soon"))).toEqual([]);
    expect(waiversIn(row.replace(" ada |", ""))).toEqual([]);
  });
});

/** The workspaces below a folder, by their place in the lock file. */
function workspaceFolders(parent: string): readonly { folder: string }[] {
  const { packages } = JSON.parse(read("package-lock.json")) as { packages: Record<string, unknown> };
  return Object.keys(packages)
    .filter((path) => path.startsWith(`${parent}/`) && !path.includes("node_modules"))
    .map((folder) => ({ folder }));
}
