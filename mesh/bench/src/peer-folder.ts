import { execFile } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";

/**
 * Installs a peer into a folder outside the workspace, unless it is there. Takes up to three minutes the first time.
 *
 * @param main - the path of its entry, inside the package
 * @returns the whole path of the entry
 */
export async function installPeer(
  folder: string,
  name: string,
  version: string,
  main: string,
): Promise<string> {
  const entry = `${folder}/node_modules/${name}/${main}`;
  if (!existsSync(entry)) {
    mkdirSync(folder, { recursive: true });
    if (!existsSync(`${folder}/package.json`))
      writeFileSync(`${folder}/package.json`, '{ "private": true }\n');
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", `${name}@${version}`];
    await promisify(execFile)("npm", args, { cwd: folder, timeout: 180_000 });
  }
  return entry;
}
