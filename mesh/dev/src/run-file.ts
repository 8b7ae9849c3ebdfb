import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ProjectKeys } from "./api-keys.ts";
import { replaceFile } from "./owned-file.ts";

/**
 * What `run.json` says about a running platform: addresses, process ids, and files that hold secrets, never
 * secrets.
 */
export interface RunFile {
  readonly pid: number;
  readonly edge: string;
  readonly edgeGrpc: string;
  readonly edges: readonly string[];
  readonly projects: Readonly<Record<string, ProjectKeys>>;
  readonly caFile: string;
  readonly identities: Readonly<Record<string, { readonly certFile: string; readonly keyFile: string }>>;
  readonly services: Readonly<Record<string, readonly RunningService[]>>;
  readonly postgres: RunningServer & { readonly host: string; readonly port: number };
  readonly nats: RunningServer & { readonly url: string };
  readonly elasticsearch: (RunningServer & { readonly url: string }) | null;
  readonly prometheus: { readonly url: string; readonly pid: number } | null;
  readonly alertmanager: { readonly url: string; readonly pid: number } | null;
}

/** One replica of a service, in `run.json`. */
export interface RunningService {
  readonly pid: number;
  /** The gateway's is its edge port (server TLS); every other one wants a client certificate. */
  readonly grpc: string;
  readonly admin: string;
}

/** A server that the services stand on, in `run.json`. */
export interface RunningServer {
  readonly pid: number;
  readonly dataDir: string;
}

/** The file's place in a platform's home. */
export const runFileIn = (home: string): string => join(home, "run.json");

/** Writes `run.json` in one step, readable by its owner alone. */
export function writeRunFile(home: string, run: RunFile): void {
  replaceFile(runFileIn(home), `${JSON.stringify(run, null, 2)}\n`);
}

/** What runs in a home, as `run.json` says; undefined without the file. */
export function readRunFile(home: string): RunFile | undefined {
  const file = runFileIn(home);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as RunFile) : undefined;
}

/** Takes it away: nothing runs here. */
export const removeRunFile = (home: string): void => rmSync(runFileIn(home), { force: true });
