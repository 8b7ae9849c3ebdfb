import { join } from "node:path";
import { CLIENTS, SERVERS, type Workload } from "../../topology.ts";
import { postgresAccount } from "./account.ts";
import type { Holder } from "./identities.ts";
import { postgresPlaces } from "./servers.ts";

/**
 * Everyone who gets a leaf: workloads, clients, servers, and each database's owner, who is a role and no
 * workload.
 */
export function leafHolders(home: string, workloads: readonly Workload[]): readonly Holder[] {
  const folderOf = (name: string) =>
    name === "postgres" ? postgresPlaces(home).identityFolder : join(home, "identities", name);
  const named = [...workloads, ...CLIENTS].map(({ name }) => name);
  return [
    ...[...named, ...SERVERS].map((name) => ({
      commonName: name,
      workload: name,
      folder: folderOf(name),
      ...(name === "postgres" && { account: postgresAccount() }),
    })),
    ...workloads.flatMap(({ database }) =>
      database ? [{ commonName: database.ownerRole, folder: folderOf(database.ownerRole) }] : [],
    ),
  ];
}
