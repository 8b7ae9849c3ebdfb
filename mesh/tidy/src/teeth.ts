/**
 * `make teeth`: breaks each promise once, in a copy of the last commit, and asks whether the check that guards it
 * fails. A check that passes on a broken promise has no teeth, and the command ends non-zero.
 */
import { execFile, execFileSync } from "node:child_process";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "./source-tree.ts";

interface Break {
  readonly promise: string;
  /** Breaks it in the copy. */
  readonly apply: (copy: string) => void;
  /** The check of `make test` that has to fail. */
  readonly check: readonly string[];
}

const only = (group: string) => ["node", "mesh/tidy/src/check-all.ts", "--only", group];
const jest = (path: string) => ["jest", "-c", "mesh/tidy/jest/jest.config.mjs", path];

function replace(copy: string, path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(join(copy, path), "utf8");
  const broken = text.replace(from, to);
  if (broken === text) throw new Error(`${path} does not hold ${String(from)}`);
  writeFileSync(join(copy, path), broken);
}

const generate = (copy: string) => void execFileSync("buf", ["generate"], { cwd: copy, stdio: "pipe" });

const BREAKS: readonly Break[] = [
  {
    promise: "a service imports no other",
    apply: (copy) =>
      appendFileSync(
        join(copy, "services/worker/src/config.ts"),
        'export { NEXT } from "../../jobs/src/domain/job-state.ts";\n',
      ),
    check: only("lint"),
  },
  {
    promise: "generated files are current",
    apply: (copy) => appendFileSync(join(copy, "contracts/gen/orrery/jobs/v1/job_pb.js"), "// by hand\n"),
    check: only("contracts"),
  },
  {
    promise: "a proto does not break its callers",
    apply: (copy) => {
      replace(copy, "proto/orrery/jobs/v1/job.proto", "int32 version = 6;", "string version = 6;");
      generate(copy);
      const identity = ["-c", "user.name=teeth", "-c", "user.email=teeth@orrery.invalid"];
      execFileSync("git", [...identity, "commit", "-qam", "Break a proto"], { cwd: copy });
    },
    check: only("contracts"),
  },
  {
    promise: "every RPC has its policy line",
    apply: (copy) => {
      const policy =
        /(GetJobResponse\) \{[\s\S]*?)option \(orrery\.options\.v1\.method\) = \{[\s\S]*?\n {4}\};/;
      replace(copy, "proto/orrery/jobs/v1/jobs_service.proto", policy, "$1");
      generate(copy);
    },
    check: jest("contracts"),
  },
  {
    promise: "every route of the surface is served",
    apply: (copy) => replace(copy, "contracts/surface.yaml", "routes:\n", "routes:\n  - GET /v1/never\n"),
    check: jest("contracts"),
  },
  {
    promise: "every metric of the surface is served",
    apply: (copy) =>
      replace(
        copy,
        "contracts/surface.yaml",
        "  jobs:\n    - orrery_jobs",
        "  jobs:\n    - orrery_never\n    - orrery_jobs",
      ),
    check: ["env", "SELECT=stories", ...jest("mesh/dev/stories"), "-t", "every metric"],
  },
  {
    promise: "the pools fit into max_connections",
    apply: (copy) => replace(copy, "mesh/topology.ts", /pools: { (\w+): \d+/, "pools: { $1: 160"),
    check: jest("mesh/dev/test/topology"),
  },
  {
    promise: "the environment is read in one place",
    apply: (copy) =>
      appendFileSync(join(copy, "services/jobs/src/engine.ts"), "export const debug = process.env.DEBUG;\n"),
    check: jest("mesh/tidy/test/text-rules"),
  },
  {
    promise: "the state machine and the database agree",
    apply: (copy) => {
      const [file = ""] = readdirSync(join(copy, "services/jobs/migrations"));
      replace(copy, `services/jobs/migrations/${file}`, "'EXPIRED'", "'EXPIRED', 'LIMBO'");
    },
    check: jest("services/jobs/test/jobs.real"),
  },
];

/** A copy of the last commit that runs: packages are linked, the workspaces are its own. */
function copyOfHead(): string {
  const copy = mkdtempSync(join(tmpdir(), "orrery-teeth-"));
  execFileSync("git", ["clone", "-q", "--shared", ROOT, copy]);
  mkdirSync(join(copy, "node_modules/@orrery"), { recursive: true });
  for (const name of readdirSync(join(ROOT, "node_modules"))) {
    if (name !== "@orrery") symlinkSync(join(ROOT, "node_modules", name), join(copy, "node_modules", name));
  }
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    workspaces: string[];
  };
  const folders = workspaces.flatMap((pattern) =>
    pattern.endsWith("/*")
      ? readdirSync(join(copy, pattern.slice(0, -2))).map((name) => `${pattern.slice(0, -2)}/${name}`)
      : [pattern],
  );
  for (const folder of folders) {
    symlinkSync(join(copy, folder), join(copy, "node_modules/@orrery", folder.split("/").pop() ?? ""));
  }
  return copy;
}

/** Whether a command fails, given ten minutes. */
function fails([program = "", ...args]: readonly string[], copy: string): Promise<boolean> {
  const env = {
    ...process.env,
    NODE_OPTIONS: "--experimental-vm-modules --disable-warning=ExperimentalWarning",
  };
  return new Promise((done) => {
    execFile(program, args, { cwd: copy, env, timeout: 600_000, maxBuffer: 1 << 26 }, (error) =>
      done(error !== null),
    );
  });
}

let toothless = 0;
for (const { promise, apply, check } of BREAKS) {
  const copy = copyOfHead();
  try {
    const sound = !(await fails(check, copy));
    apply(copy);
    const caught = sound && (await fails(check, copy));
    if (!caught) toothless += 1;
    const verdict = caught ? "caught" : sound ? "MISSED" : "UNSOUND BEFORE";
    process.stdout.write(`${verdict.padEnd(8)} ${promise.padEnd(44)} by ${check.join(" ")}\n`);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}
process.stdout.write(`\n${BREAKS.length - toothless} passed, ${toothless} failed\n`);
process.exitCode = toothless === 0 ? 0 : 1;
