import { randomBytes } from "node:crypto";
import { chownSync, copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENTS, WORKLOADS } from "@orrery/mesh/topology";
import { writeKeys } from "../../../dev/src/api-keys.ts";
import { type Holder, Identities } from "../../../dev/src/identities.ts";
import { AUDITOR, USERS } from "../compose/place.ts";

/** As long as an authority of ours signs for: PostgreSQL and NATS have fifteen days to be told of a new one. */
const LEAF_LIFE_MS = 30 * 86_400_000;
const PROJECT = "default";

/** Everyone who gets a leaf on one host, and the user of the image that reads it. */
export function holders(home: string): readonly (Holder & { readonly uid: number })[] {
  const uids: Readonly<Record<string, number>> = {
    postgres: USERS.postgres,
    prometheus: USERS.nobody,
    alertmanager: USERS.nobody,
  };
  const named = [...WORKLOADS, ...CLIENTS].map(({ name }) => name);
  const roles = WORKLOADS.flatMap(({ database }) => (database === null ? [] : [database.ownerRole]));
  return [
    ...[...named, "postgres", "nats"].map((name) => ({
      ...held(home, name, uids[name] ?? USERS.ours),
      workload: name,
    })),
    ...roles.map((role) => held(home, role, USERS.ours)),
    held(home, AUDITOR, USERS.pgadmin),
  ];
}

const held = (home: string, commonName: string, uid: number) => ({
  commonName,
  folder: join(home, "identities", commonName),
  uid,
});

/**
 * Makes whatever is missing below `home`: authority, leaves, the project's two API keys with the list of hashes that
 * the gateway reads, and the password of pgAdmin.
 *
 * @param options.owned - whether each file is given to its reader, which takes root
 * @returns the leaves, to be renewed
 */
export async function layDown(home: string, { owned }: { readonly owned: boolean }): Promise<Identities> {
  const all = holders(home).map(({ uid, ...holder }) =>
    owned ? { ...holder, account: { name: String(uid), uid, gid: uid } } : holder,
  );
  const identities = await Identities.open({
    folder: join(home, "authority"),
    holders: all,
    lifetimeMs: LEAF_LIFE_MS,
  });
  const give = (path: string, uid: number): void => {
    if (owned) chownSync(path, uid, uid);
  };
  const folder = (name: string): string => {
    const path = join(home, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  const password = join(home, "identities", AUDITOR, "pgadmin-password");
  if (!existsSync(password)) {
    writeFileSync(password, `${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
    give(password, USERS.pgadmin);
  }
  for (const name of ["nats", "traces"]) give(folder(name), USERS.ours);
  const { keysFile } = writeKeys(folder("keys"), [PROJECT]);
  // Last, since this is what the others wait for. Beside the keys themselves it would show them to the gateway.
  const shown = join(folder("edge"), "keys.json");
  copyFileSync(keysFile, shown);
  give(shown, USERS.ours);
  return identities;
}
