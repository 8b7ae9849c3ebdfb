import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { isAlive } from "../process-table.ts";
import type { Source } from "./catalogue.ts";
import { isProgram, onPath, runProgram } from "./program.ts";

/**
 * What an attempt to install came to: where the program is, or why it is not, with the command that a person
 * types.
 */
export type Installed = { readonly path: string } | { readonly refused: string; readonly command: string };

/**
 * Installs a program from one source.
 *
 * @param cached - where a program that is built by us goes; a Debian package keeps its own place
 */
export async function installFrom(source: Source, cached: string): Promise<Installed> {
  return source.kind === "go" ? installByGo(source, cached) : installByApt(source);
}

async function installByGo(source: Extract<Source, { kind: "go" }>, cached: string): Promise<Installed> {
  const command = `go install ${source.module}@${source.version}`;
  const go = onPath("go");
  if (go === undefined) return { refused: "Go is not installed", command };
  return withLock(dirname(cached), async () => {
    if (isProgram(cached)) return { path: cached };
    const built = mkdtempSync(`${dirname(cached)}-building-`);
    try {
      const env = { ...process.env, GOBIN: built, GOFLAGS: "" };
      const { ok, output } = await runProgram(go, ["install", `${source.module}@${source.version}`], { env });
      if (!ok) return { refused: lastLine(output), command };
      mkdirSync(dirname(cached), { recursive: true });
      renameSync(join(built, source.builds), cached);
      return { path: cached };
    } finally {
      rmSync(built, { recursive: true, force: true });
    }
  });
}

async function installByApt(source: Extract<Source, { kind: "debian" }>): Promise<Installed> {
  const command = `apt-get install -y --no-install-recommends ${source.package}`;
  if (isProgram(source.path)) return { path: source.path };
  const apt = onPath("apt-get");
  if (apt === undefined) return { refused: "this is not Debian", command };
  if (process.getuid?.() !== 0) return { refused: "only root installs packages", command: `sudo ${command}` };
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const install = () => withoutServices(() => runProgram(apt, command.split(" ").slice(1), { env }));
  let ended = await install();
  if (!ended.ok) {
    await runProgram(apt, ["update", "-q"], { env }); // a fresh image has no package lists
    ended = await install();
  }
  if (!ended.ok || !isProgram(source.path)) return { refused: lastLine(ended.output), command };
  return { path: source.path };
}

const POLICY = "/usr/sbin/policy-rc.d";

/**
 * Keeps Debian from starting the service of a package that is installed meanwhile: we want the program, and it would
 * take the port and run for ever. Where this machine has a policy of its own, that one holds.
 *
 * @see https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt (101: forbidden)
 */
async function withoutServices<T>(work: () => Promise<T>): Promise<T> {
  return withLock(join(tmpdir(), "orrery-apt"), async () => {
    if (existsSync(POLICY)) return work();
    writeFileSync(POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
    try {
      return await work();
    } finally {
      rmSync(POLICY, { force: true });
    }
  });
}

const LOCK_LIMIT_MS = 15 * 60_000;

/**
 * Lets one process at a time make the thing at `path`, so that two platforms that start together build it
 * once. The lock is a file with the holder's process id; that of a process which is gone is taken over.
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const lock = `${path}.lock`;
  mkdirSync(dirname(lock), { recursive: true });
  while (!takeLock(lock)) await wait(250);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock: string): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  try {
    const holder = Number(readFileSync(lock, "utf8"));
    const agedMs = Date.now() - statSync(lock).mtimeMs;
    if (agedMs > LOCK_LIMIT_MS || (holder > 0 && !isAlive(holder))) rmSync(lock, { force: true });
  } catch {
    // its holder let go in between: the next try takes it
  }
  return false;
}

const lastLine = (output: string): string => output.trim().split("\n").at(-1)?.slice(0, 300) ?? "";
