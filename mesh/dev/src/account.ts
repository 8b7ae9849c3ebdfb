import { execFileSync } from "node:child_process";
import { chownSync, lchownSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isRoot } from "./places.ts";

/** The user a server runs as. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: Account = { name: "nobody", uid: 65_534, gid: 65_534 };

/**
 * The user that PostgreSQL runs as: `postgres` when we are root, made if missing, since PostgreSQL refuses
 * root.
 *
 * @returns undefined when we are not root: the server then runs as ourselves
 */
export function postgresAccount(): Account | undefined {
  if (!isRoot()) return undefined;
  return lookUp("postgres") ?? create("postgres");
}

/**
 * The user that Elasticsearch runs as: `nobody` when we are root, since it refuses root; undefined otherwise.
 */
export const elasticsearchAccount = (): Account | undefined => (isRoot() ? NOBODY : undefined);

/** Gives a file or folder, and everything below it, to an account; does nothing without one. */
export function giveTo(account: Account | undefined, path: string): void {
  if (account === undefined) return;
  chownSync(path, account.uid, account.gid);
  for (const entry of readdirSync(path, { recursive: true, encoding: "utf8" })) {
    lchownSync(join(path, entry), account.uid, account.gid);
  }
}

function lookUp(name: string): Account | undefined {
  try {
    const id = (flag: string) =>
      Number(execFileSync("id", [flag, name], { stdio: ["ignore", "pipe", "ignore"] }));
    return { name, uid: id("-u"), gid: id("-g") };
  } catch {
    return undefined; // id ends non-zero for a user that is not there
  }
}

function create(name: string): Account {
  execFileSync("useradd", ["--system", "--user-group", "--no-create-home", name], { stdio: "ignore" });
  const account = lookUp(name);
  if (account === undefined) throw new Error(`cannot make the user ${name}: type 'useradd --system ${name}'`);
  return account;
}
