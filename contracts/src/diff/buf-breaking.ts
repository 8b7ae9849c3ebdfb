import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import type { Finding } from "./finding.ts";

/** Exit status with which buf says that it found something. */
const FOUND = 100;
const LIMIT_MS = 60_000;

/**
 * What `buf breaking` finds, in the shape of our own findings.
 *
 * @param options.input - the file of the later image
 * @param options.against - the file of the earlier one
 * @param options.except - names of rules that are left out; those that are not buf's are ignored
 * @throws Error with what buf says when it cannot compare
 */
export async function bufBreaking(
  cwd: string,
  options: { input: string; against: string; except?: ReadonlySet<string> },
): Promise<readonly Finding[]> {
  const { input, against, except = new Set() } = options;
  const config = configWithout(
    cwd,
    [...except].filter((name) => /^[A-Z_]+$/.test(name)),
  );
  const args = ["breaking", input, "--against", against, "--error-format", "json", "--config", config];
  const { status, stdout, stderr } = await run(args, cwd);
  if (status !== 0 && status !== FOUND) throw new Error(stderr || stdout);
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [findingOf(line)]));
}

/**
 * The same over images in memory. A folder would not do: buf counts its modules, and an image is one.
 */
export async function bufBreakingImages(
  cwd: string,
  options: { before: Uint8Array; after: Uint8Array; except?: ReadonlySet<string> },
): Promise<readonly Finding[]> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-breaking-"));
  try {
    const [against, input] = [join(folder, "before.binpb"), join(folder, "after.binpb")];
    writeFileSync(against, options.before);
    writeFileSync(input, options.after);
    return await bufBreaking(cwd, { input, against, ...(options.except && { except: options.except }) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** buf.yaml with rules left out. */
function configWithout(cwd: string, except: readonly string[]): string {
  const config = parse(readFileSync(join(cwd, "buf.yaml"), "utf8")) as { breaking: object };
  return JSON.stringify({
    ...config,
    breaking: { ...config.breaking, ...(except.length > 0 && { except }) },
  });
}

function findingOf(line: string): Finding {
  const {
    path = "",
    start_line = 1,
    start_column = 1,
    type,
    message,
  } = JSON.parse(line) as {
    path?: string;
    start_line?: number;
    start_column?: number;
    type: string;
    message: string;
  };
  return {
    position: {
      file: path.startsWith("proto/") ? path : `proto/${path}`,
      line: start_line,
      column: start_column,
    },
    rule: type,
    breaks: message.replace(/\.$/, ""),
    instead: "add a new field, value, rpc or package version beside the old one",
  };
}

function run(
  args: readonly string[],
  cwd: string,
): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    execFile("buf", [...args], { cwd, encoding: "utf8", timeout: LIMIT_MS }, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}
