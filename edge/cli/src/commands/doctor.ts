import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Api, apiOf } from "../api.ts";
import { type Connection, findConnection, readRunFile } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Failure } from "../failure.ts";
import { textOf } from "../output/columns.ts";
import { formatOf, printList } from "../output/printer.ts";
import type { Row } from "../output/table.ts";
import { type CommonFlags, objectOf } from "../session.ts";
import { type Surroundings, terminalOf } from "../terminal.ts";

const LAG_LIMIT_MS = 5_000;
/** The major version of the API that this command line speaks. */
const API_MAJOR = "1";

/** What a check found. */
interface Finding {
  readonly ok: boolean;
  readonly found: string;
  readonly fix?: string;
  /** The exit code where this is the first check that fails. */
  readonly exitCode?: ExitCode;
}

interface Check {
  readonly name: string;
  readonly look: () => Promise<Finding> | Finding;
}

/**
 * `doctor`: looks at everything between this command and a job that runs; says of each what is wrong and what
 * to do.
 */
export async function doctor(flags: CommonFlags, surroundings: Surroundings): Promise<ExitCode> {
  const terminal = terminalOf(surroundings, { colour: flags.color !== false });
  const format = formatOf(flags.output);
  const results: (Finding & { name: string })[] = [];
  for (const { name, look } of checks(flags, surroundings)) {
    const finding = await look();
    results.push({ name, ...finding });
    if (format !== "table") continue;
    const mark = finding.ok ? terminal.paint("green", "✔") : terminal.paint("red", "✖");
    terminal.data(`${mark} ${name}: ${finding.found}`);
    if (!finding.ok && finding.fix !== undefined) terminal.data(`  fix: ${finding.fix}`);
  }
  if (format !== "table") {
    const rows: readonly Row[] = results.map(({ name, ok, found, fix = "" }) => ({ name, ok, found, fix }));
    const columns = ["name", "ok", "found", "fix"].map((title) => ({
      title,
      value: (row: Row) => textOf(row[title]),
    }));
    await printList(
      { text: JSON.stringify({ checks: rows }), rows, columns, name: "name" },
      format,
      terminal,
    );
  }
  const failed = results.find(({ ok }) => !ok);
  return failed === undefined ? EXIT.done : (failed.exitCode ?? EXIT.unexpected);
}

function* checks(flags: CommonFlags, { env, cwd }: Surroundings): Generator<Check> {
  yield { name: "run.json", look: () => tried(() => runFileFinding(flags, env, cwd())) };
  let connection: Connection | undefined;
  yield {
    name: "connection",
    look: () =>
      tried(() => {
        connection = findConnection(flags, env, cwd());
        const key = connection.key === undefined ? "no key" : "a key";
        return {
          ok: connection.key !== undefined,
          found: `${connection.url}, ${key} (${connection.source})`,
          fix: KEY_FIX,
        };
      }),
  };
  if (connection === undefined) return;
  const api = apiOf(connection);
  let reachable = false;
  yield {
    name: "edge reachable",
    look: async () => {
      const finding = await tried(async () => answered(api, "/healthz"));
      reachable = finding.ok;
      return reachable ? finding : { ...finding, fix: edgeFix(env, cwd()) };
    },
  };
  if (!reachable) return;
  yield { name: "edge ready", look: () => tried(async () => answered(api, "/readyz")) };
  let overview: Row | undefined;
  yield {
    name: "key valid",
    look: () =>
      tried(async () => {
        overview = objectOf((await api.send("GET", "/v1/overview")).text);
        return { ok: true, found: `project ${textOf(overview.project)}` };
      }),
  };
  if (overview !== undefined) yield* overviewChecks(overview);
  yield { name: "versions", look: () => tried(() => versionFinding(api)) };
}

/** A gateway that died is started again by its launcher: where there is one, its log tells. */
function edgeFix(env: NodeJS.ProcessEnv, cwd: string): string {
  const run = readRunFile(env, cwd);
  if (run === undefined) return "name the platform with --url or ORRERY_URL";
  if (!isAlive(run.file.pid)) return "start the platform: make run";
  return `its launcher starts it again; if it stays away, look at ${dirname(run.path)}/logs/gateway-0.log`;
}

const KEY_FIX = "name a key with --key-file, ORRERY_API_KEY_FILE or ORRERY_API_KEY";

function* overviewChecks(overview: Row): Generator<Check> {
  const lagMs = Number(overview.lagMs ?? 0);
  const partial = overview.complete === false ? ", not complete" : "";
  yield {
    name: "read model",
    look: () => ({
      ok: lagMs <= LAG_LIMIT_MS && overview.complete !== false,
      found: `${textOf(overview.readModel)}, ${lagMs} ms behind${partial}`,
      fix: "look at the observatory's log, and at orrery_consumer_lag and orrery_projection_lag_seconds",
      exitCode: EXIT.unreachable,
    }),
  };
  const workers = Number(overview.workers ?? 0);
  yield {
    name: "workers",
    look: () => ({
      ok: workers > 0,
      found:
        workers === 0 ? "none was seen within the last minute" : `${workers} seen within the last minute`,
      fix: "start one; `orrery worker ls` lists them",
    }),
  };
}

function runFileFinding(flags: CommonFlags, env: NodeJS.ProcessEnv, cwd: string): Finding {
  const run = readRunFile(env, cwd);
  if (run === undefined) {
    const named = flags.url ?? env.ORRERY_URL;
    const fix = "start the platform with `make run`, or set ORRERY_HOME to where it keeps its data";
    return {
      ok: Boolean(named),
      found: named ? `not needed: ${named} is given` : "not found here or above",
      fix,
      exitCode: EXIT.unreachable,
    };
  }
  const alive = isAlive(run.file.pid);
  return {
    ok: alive,
    found: `${run.path}, launcher ${run.file.pid} ${alive ? "runs" : "is gone"}`,
    fix: "the platform was not stopped in order: start it again with `make run`",
    exitCode: EXIT.unreachable,
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function answered(api: Api, path: string): Promise<Finding> {
  const { status } = await api.send("GET", path);
  return { ok: true, found: `${path} answers ${status}` };
}

async function versionFinding(api: Api): Promise<Finding> {
  const { info } = objectOf((await api.send("GET", "/openapi.json")).text) as { info?: { version?: string } };
  const own = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const found = `orrery ${own.version}, API ${info?.version ?? "unknown"}, node ${process.versions.node}`;
  return {
    ok: info?.version?.split(".")[0] === API_MAJOR,
    found,
    fix: "use the command line of the platform's release",
  };
}

/** A check that fails with an error has found just that. */
async function tried(look: () => Promise<Finding> | Finding): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    if (!(error instanceof Failure)) return { ok: false, found };
    const { fix, exitCode, reason } = error.about;
    return {
      ok: false,
      found,
      exitCode,
      fix: fix ?? (reason === undefined ? "see above" : `orrery explain ${reason}`),
    };
  }
}
