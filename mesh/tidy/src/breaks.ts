import { execFileSync } from "node:child_process";
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** One promise, and how to break it. */
export interface Break {
  /** The rule of the constitution that it belongs to. */
  readonly rule: string;
  readonly promise: string;
  /** Breaks it in the copy. */
  readonly apply: (copy: string) => void;
  /** The check of `make test` that has to fail. */
  readonly check: readonly string[];
}

const only = (group: string) => ["node", "mesh/tidy/src/check-all.ts", "--only", group];
const jest = (path: string) => ["jest", "-c", "mesh/tidy/jest/jest.config.mjs", path];

/** Adds to the end of a file. */
const append = (copy: string, path: string, text: string): void => appendFileSync(join(copy, path), text);

function replace(copy: string, path: string, from: string | RegExp, to: string): void {
  const text = readFileSync(join(copy, path), "utf8");
  const broken = text.replace(from, to);
  if (broken === text) throw new Error(`${path} does not hold ${String(from)}`);
  writeFileSync(join(copy, path), broken);
}

const generate = (copy: string) => void execFileSync("buf", ["generate"], { cwd: copy, stdio: "pipe" });

/** Every break, each of another rule. */
export const BREAKS: readonly Break[] = [
  {
    rule: "M1",
    promise: "a service imports no other",
    apply: (copy) =>
      appendFileSync(
        join(copy, "services/worker/src/config.ts"),
        'export { NEXT } from "../../jobs/src/domain/job-state.ts";\n',
      ),
    check: only("lint"),
  },
  {
    rule: "M4",
    promise: "generated files are current",
    apply: (copy) => appendFileSync(join(copy, "contracts/gen/orrery/jobs/v1/job_pb.js"), "// by hand\n"),
    check: only("contracts"),
  },
  {
    rule: "E3",
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
    rule: "E6",
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
    rule: "O11",
    promise: "every route of the surface is served",
    apply: (copy) => replace(copy, "contracts/surface.yaml", "routes:\n", "routes:\n  - GET /v1/never\n"),
    check: jest("contracts"),
  },
  {
    rule: "P7",
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
    rule: "M2",
    promise: "the pools fit into max_connections",
    apply: (copy) => replace(copy, "mesh/topology.ts", /pools: { (\w+): \d+/, "pools: { $1: 160"),
    check: jest("mesh/dev/test/topology"),
  },
  {
    rule: "B17",
    promise: "the environment is read in one place",
    apply: (copy) =>
      appendFileSync(join(copy, "services/jobs/src/engine.ts"), "export const debug = process.env.DEBUG;\n"),
    check: jest("mesh/tidy/test/text-rules"),
  },
  {
    rule: "O2",
    promise: "the state machine and the database agree",
    apply: (copy) => {
      const [file = ""] = readdirSync(join(copy, "services/jobs/migrations"));
      replace(copy, `services/jobs/migrations/${file}`, "'EXPIRED'", "'EXPIRED', 'LIMBO'");
    },
    check: jest("services/jobs/test/jobs.real"),
  },
  {
    rule: "E1",
    promise: "the domain is pure",
    apply: (copy) =>
      append(copy, "services/jobs/src/domain/lease.ts", 'export { hostname } from "node:os";\n'),
    check: only("lint"),
  },
  {
    rule: "D3",
    promise: "the top level holds what the floor plan names",
    apply: (copy) => writeFileSync(join(copy, "scratch.txt"), "left behind\n"),
    check: jest("mesh/tidy/test/structure"),
  },
  {
    rule: "O13",
    promise: "every path has an owner",
    apply: (copy) => replace(copy, ".github/CODEOWNERS", /^\/services\/ .*$/m, ""),
    check: jest("mesh/tidy/test/structure"),
  },
  {
    rule: "E13",
    promise: "an expired waiver is refused",
    apply: (copy) =>
      append(
        copy,
        "contracts/WAIVERS.md",
        "| E4 | ada | new code | tests | low | 2020-01-01 | 2020-01-09 |\n",
      ),
    check: jest("contracts/test/constitution"),
  },
  {
    rule: "E10",
    promise: "no exception is swallowed",
    apply: (copy) =>
      append(
        copy,
        "services/jobs/src/engine.ts",
        "export const quiet = (f: () => void) => { try { f(); } catch {} };\n",
      ),
    check: jest("mesh/tidy/test/text-rules"),
  },
  {
    rule: "D1",
    promise: "TypeScript is erasable",
    apply: (copy) => append(copy, "services/jobs/src/engine.ts", "export enum Colour { Red }\n"),
    check: jest("mesh/tidy/test/text-rules"),
  },
  {
    rule: "O6",
    promise: "labels that users choose are bounded",
    apply: (copy) => replace(copy, "mesh/chassis/src/telemetry/metrics.ts", '"_other"', '"_rest"'),
    check: jest("mesh/chassis/test/telemetry"),
  },
  {
    rule: "P6",
    promise: "a log line has its severity",
    apply: (copy) =>
      replace(
        copy,
        "mesh/chassis/src/telemetry/logger.ts",
        "        severity,\n",
        "        level: severity,\n",
      ),
    check: jest("mesh/chassis/test/telemetry"),
  },
  {
    rule: "D4",
    promise: "a caller off the RPC's list is refused",
    apply: (copy) => replace(copy, "mesh/chassis/src/policy/gate.ts", "&& policy.callers.has(caller)", ""),
    check: jest("mesh/chassis/test/transport/grpc.test"),
  },
  {
    rule: "B16",
    promise: "an idempotency key holds for 24 hours",
    apply: (copy) =>
      replace(
        copy,
        "services/jobs/src/adapters/postgres/idempotency-statements.ts",
        "created_at > clock_timestamp() - interval '24 hours'",
        "created_at > clock_timestamp() - interval '48 hours'",
      ),
    check: jest("services/jobs/test/idempotency"),
  },
];
