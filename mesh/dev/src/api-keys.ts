import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "./owned-file.ts";

/** The files that hold a project's keys in plain text, for whoever may read them. */
export interface ProjectKeys {
  /** Every scope. */
  readonly apiKeyFile: string;
  /** The scope `read` alone. */
  readonly readKeyFile: string;
}

const KINDS = [
  { file: "api-key", id: "all", scopes: ["read", "submit", "work", "admin"] },
  { file: "read-key", id: "read", scopes: ["read"] },
] as const;

/**
 * Gives every project its two keys, those it had or new ones, and writes the list that gateways read: hashes
 * only. A project that is no longer named loses its access, and keeps its key files for when it is named
 * again.
 *
 * @returns the key files by project, and the file of hashes
 */
export function writeKeys(
  home: string,
  projects: readonly string[],
): { readonly keysFile: string; readonly projects: Readonly<Record<string, ProjectKeys>> } {
  const keys = projects.flatMap((project) => {
    const folder = folderOf(home, project);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return KINDS.map(({ file, id, scopes }) => {
      const sha256 = createHash("sha256")
        .update(keyIn(join(folder, file)))
        .digest("hex");
      return { id: `${project}-${id}`, sha256, project, scopes };
    });
  });
  const keysFile = join(home, "keys.json");
  replaceFile(keysFile, `${JSON.stringify({ keys }, null, 2)}\n`);
  const files = projects.map((project): [string, ProjectKeys] => [
    project,
    {
      apiKeyFile: join(folderOf(home, project), "api-key"),
      readKeyFile: join(folderOf(home, project), "read-key"),
    },
  ]);
  return { keysFile, projects: Object.fromEntries(files) };
}

const folderOf = (home: string, project: string): string => join(home, "projects", project);

/** The key in a file, made on first use: 256 random bits behind a prefix that secret scanners can know. */
function keyIn(file: string): string {
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const key = `orr_${randomBytes(32).toString("base64url")}`;
  replaceFile(file, `${key}\n`);
  return key;
}
