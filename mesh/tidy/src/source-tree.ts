import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the checkout. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../../..");

/** One file of the tree, with its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const GENERATED = /(^contracts\/gen\/|\.gen\.|^package-lock\.json$|^proto\/vendor\/)/;

/**
 * Reads every file that git tracks or would track.
 *
 * @param pattern - which paths, from the root; generated and vendored files are never among them
 * @returns the files, by path
 */
export function sourceFiles(pattern: RegExp): readonly SourceFile[] {
  const listed = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  return listed
    .split("\n")
    .filter((path) => pattern.test(path) && !GENERATED.test(path))
    .sort()
    .flatMap((path) => {
      const text = readIfThere(`${ROOT}/${path}`);
      return text === undefined ? [] : [{ path, text }];
    });
}

/** A file that git still lists may just have been deleted in the working tree. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
