import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { WORKLOADS } from "@orrery/mesh/topology";
import type { Started } from "./read-configurations.ts";
import { ROOT } from "./resources.ts";

/** The `config.ts` of a workload. */
export function configOf(workload: string): string {
  const folder = WORKLOADS.find(({ name }) => name === workload)?.folder;
  if (folder === undefined) throw new Error(`there is no ${workload}`);
  return join(ROOT, folder, "src/config.ts");
}

/** An environment whose files, which the manifests mount, are this one: it is their names that are read. */
export const withFiles = (
  environment: Readonly<Record<string, string>>,
  file: string,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [name, /_FILE$/.test(name) ? file : value]),
  );

/** What services say against the configurations that they start with; they read them in a process of their own. */
export const configurationProblems = (started: readonly Started[]): readonly string[] =>
  JSON.parse(
    execFileSync(process.execPath, [join(import.meta.dirname, "read-configurations.ts")], {
      input: JSON.stringify(started),
      encoding: "utf8",
      env: { PATH: process.env.PATH },
    }),
  ) as string[];
