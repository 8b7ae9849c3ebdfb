import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./source-tree.ts";

/** What a check found. `output` is shown when it is not ok. */
export interface Outcome {
  readonly ok: boolean;
  readonly output: string;
  readonly skipped?: string;
}

/** One check that needs no server. */
export interface Check {
  readonly group: "lint" | "types" | "contracts";
  readonly name: string;
  readonly fix: string;
  run(): Promise<Outcome>;
}

const MINUTES = 60_000;

/** Runs a program of the workspace to its end, at most five minutes. */
function run(program: string, args: readonly string[]): Promise<Outcome> {
  return new Promise((done) => {
    const options = {
      cwd: ROOT,
      encoding: "utf8",
      timeout: 5 * MINUTES,
      maxBuffer: 64 * 1024 * 1024,
    } as const;
    execFile(program, [...args], options, (error, stdout, stderr) => {
      done({ ok: error === null, output: `${stdout}${stderr}` });
    });
  });
}

/** Generates into an empty folder and compares, so that a stale or hand-edited file is seen whatever git thinks. */
async function generatedIsCurrent(): Promise<Outcome> {
  const fresh = mkdtempSync(join(tmpdir(), "orrery-generated-"));
  try {
    const generated = await run("buf", ["generate", "--output", fresh]);
    if (!generated.ok) return generated;
    const documents = await run("node", ["contracts/src/generate.ts", "--check"]);
    if (!documents.ok) return documents;
    return await run("diff", ["-r", "-q", join(fresh, "contracts/gen"), join(ROOT, "contracts/gen")]);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

export const staticChecks: readonly Check[] = [
  {
    group: "lint",
    name: "proto style",
    fix: "buf names the line; the rules are in buf.yaml",
    run: () => run("buf", ["lint"]),
  },
  {
    group: "lint",
    name: "proto format",
    fix: "npx buf format -w",
    run: () => run("buf", ["format", "-d", "--exit-code"]),
  },
  {
    group: "lint",
    name: "format and imports",
    fix: "npx biome check --write .",
    run: () => run("biome", ["ci", "--colors=off", "--max-diagnostics=50", "."]),
  },
  {
    group: "lint",
    name: "lint",
    fix: "oxlint names the rule; the rules are in .oxlintrc.json",
    run: () => run("oxlint", ["--type-aware", "--deny-warnings", "--tsconfig", "mesh/tsconfig.json"]),
  },
  {
    group: "lint",
    name: "import rules",
    fix: "each rule in .dependency-cruiser.mjs says where the code belongs",
    run: () =>
      run("depcruise", ["--config", ".dependency-cruiser.mjs", "services", "edge", "mesh", "contracts"]),
  },
  {
    group: "types",
    name: "types",
    fix: "npx tsc -p mesh/tsconfig.json",
    run: () => run("tsc", ["-p", "mesh/tsconfig.json"]),
  },
  {
    group: "types",
    name: "types of the web page",
    fix: "npx tsc -p edge/web/tsconfig.json",
    run: () => run("tsc", ["-p", "edge/web/tsconfig.json"]),
  },
  {
    group: "contracts",
    name: "generated files are current",
    fix: "make generate",
    run: generatedIsCurrent,
  },
  {
    group: "contracts",
    name: "no breaking change to a proto",
    fix: "each line says what to do instead; the rules: node contracts/src/diff/main.ts --rules",
    run: () => run("node", ["contracts/src/diff/main.ts"]),
  },
];
