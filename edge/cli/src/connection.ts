import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { EXIT } from "./exit-code.ts";
import { Failure } from "./failure.ts";

/** Where the edge is, and what opens it. */
export interface Connection {
  /** Without a slash at the end. */
  readonly url: string;
  /** Undefined where none was found: then the edge says so. */
  readonly key: string | undefined;
  readonly project: string | undefined;
  /** Where the address and the key came from, for a person. */
  readonly source: string;
}

/** The flags that every command takes. */
export interface ConnectionFlags {
  readonly url?: string;
  readonly keyFile?: string;
  readonly project?: string;
}

/** The part of run.json that a client reads. */
export interface RunFile {
  readonly pid: number;
  readonly edge: string;
  readonly edges: readonly string[];
  readonly projects: Readonly<Record<string, { readonly apiKeyFile: string; readonly readKeyFile: string }>>;
  readonly caFile: string;
  readonly identities: Readonly<Record<string, { readonly certFile: string; readonly keyFile: string }>>;
  readonly services: Readonly<Record<string, readonly { readonly admin: string }[]>>;
}

/**
 * Finds the edge and the key: flags, then the environment (`ORRERY_URL`, `ORRERY_API_KEY_FILE`,
 * `ORRERY_API_KEY`), then run.json, which `ORRERY_HOME` names or a folder `.orrery` here or above holds. A
 * key of run.json is sent to an edge of run.json and to no other.
 *
 * @throws Failure with exit code 9 where nothing names an edge
 */
export function findConnection(flags: ConnectionFlags, env: NodeJS.ProcessEnv, cwd: string): Connection {
  const named = flags.url ?? (env.ORRERY_URL || undefined);
  const run = readRunFile(env, cwd);
  const url = (named ?? run?.file.edge)?.replace(/\/+$/, "");
  if (url === undefined) throw noPlatform();
  const project = flags.project ?? (env.ORRERY_PROJECT || undefined);
  const given = keyFromOutside(flags, env);
  if (given !== undefined)
    return { url, key: given, project, source: named === undefined ? "run.json" : "given" };
  const ofRun = run !== undefined && [run.file.edge, ...run.file.edges].includes(url) ? run : undefined;
  const chosen = project ?? Object.keys(ofRun?.file.projects ?? {})[0];
  const keyFile = chosen === undefined ? undefined : ofRun?.file.projects[chosen]?.apiKeyFile;
  if (ofRun !== undefined && project !== undefined && keyFile === undefined)
    throw unknownProject(project, ofRun);
  return {
    url,
    key: keyFile === undefined ? undefined : readKey(resolve(dirname(ofRun?.path ?? ""), keyFile)),
    project,
    source: ofRun?.path ?? "given",
  };
}

/** Reads run.json where it is to be found; undefined where there is none. */
export function readRunFile(
  env: NodeJS.ProcessEnv,
  cwd: string,
): { readonly path: string; readonly file: RunFile } | undefined {
  const path = runFilePath(env, cwd);
  if (path === undefined || !existsSync(path)) return undefined;
  try {
    return { path, file: JSON.parse(readFileSync(path, "utf8")) as RunFile };
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${(error as Error).message}`, {
      exitCode: EXIT.unreachable,
      fix: "start the platform again: make run",
    });
  }
}

function runFilePath(env: NodeJS.ProcessEnv, cwd: string): string | undefined {
  const home = env.ORRERY_HOME;
  if (home) return join(resolve(cwd, home), "run.json");
  const here = join(cwd, ".orrery/run.json");
  if (existsSync(here)) return here;
  return dirname(cwd) === cwd ? undefined : runFilePath(env, dirname(cwd));
}

function keyFromOutside({ keyFile }: ConnectionFlags, env: NodeJS.ProcessEnv): string | undefined {
  const path = keyFile ?? env.ORRERY_API_KEY_FILE;
  return path ? readKey(path) : env.ORRERY_API_KEY || undefined;
}

function readKey(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new Failure(`the key file ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`, {
      exitCode: EXIT.notAuthorised,
      fix: "name another with --key-file or ORRERY_API_KEY_FILE",
    });
  }
}

const noPlatform = (): Failure =>
  new Failure("no platform is known here: there is neither --url, nor ORRERY_URL, nor a .orrery/run.json", {
    exitCode: EXIT.unreachable,
    fix: "start one with `make run`, or name one with --url and --key-file",
  });

const unknownProject = (project: string, run: { readonly path: string; readonly file: RunFile }): Failure =>
  new Failure(`run.json has no project ${project}; it has ${Object.keys(run.file.projects).join(", ")}`, {
    exitCode: EXIT.usage,
    fix: `start the platform with PROJECTS=${Object.keys(run.file.projects).join(",")},${project}`,
  });
