import { execFile, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** How a program ended that was run to its end. */
export interface Ended {
  readonly ok: boolean;
  /** Its exit code; undefined where it has none: it was missing, or a signal ended it. */
  readonly status: number | undefined;
  readonly output: string;
}

/**
 * Runs a program to its end and reads what it printed.
 *
 * @param options.withinMs - milliseconds before it is killed, 10 minutes unless said
 * @returns never rejects: a program that is missing, fails or takes too long is `ok: false`
 */
export function runProgram(
  file: string,
  args: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly withinMs?: number; readonly cwd?: string } = {},
): Promise<Ended> {
  const { env = process.env, withinMs = 600_000, cwd = "/" } = options;
  return new Promise((done) => {
    execFile(
      file,
      [...args],
      { env, cwd, timeout: withinMs, maxBuffer: 16 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`;
        const status = error === null ? 0 : typeof error.code === "number" ? error.code : undefined;
        done({ ok: error === null, status, output: output === "" ? (error?.message ?? "") : output });
      },
    );
  });
}

/** The program of that name on PATH (sbin included, where Debian puts servers), or undefined. */
export function onPath(name: string): string | undefined {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/local/go/bin",
    "/usr/sbin",
    "/usr/local/sbin",
  ];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

/** Whether a file is there and may be run. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // that is the answer
  }
}

/**
 * The version that a program prints: the first number with dots, such as `2.12.15`.
 *
 * @returns undefined for a program that prints none (builds by `go install` often do not know theirs)
 */
export function printedVersion(file: string, args: readonly string[]): string | undefined {
  const { stdout, stderr } = spawnSync(file, [...args], { encoding: "utf8", timeout: 10_000 });
  return /(\d+\.\d+(?:\.\d+)*)/.exec(`${stdout}${stderr}`)?.[1];
}

/** Whether `version` is at least `minimum`, both numbers joined by dots. */
export function isAtLeast(version: string, minimum: string): boolean {
  const [have, want] = [version, minimum].map((text) => text.split(".").map(Number));
  for (const [index, wanted] of (want ?? []).entries()) {
    const found = have?.[index] ?? 0;
    if (found !== wanted) return found > wanted;
  }
  return true;
}
