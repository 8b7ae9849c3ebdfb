import pg from "pg";
import { eventually } from "../../chassis/src/testing/eventually.ts";
import type { Cluster, Login } from "./postgres-cluster.ts";

/** A database with the role that owns its schema and the role that its service logs in as. */
export interface ServiceDatabase extends Login {
  readonly owner: string;
}

/** Waits until the server takes connections: after a crash it first replays its log. */
export function postgresAccepts(cluster: Cluster, withinMs = 60_000): Promise<void> {
  return eventually(() => withSuperuser(cluster, "postgres", async () => {}), { withinMs, everyMs: 25 });
}

/**
 * Makes the databases and roles that are missing. The owner owns the database and with it the schema, and is
 * used by migrations alone; the service's role may connect, and has only what migrations grant it. Neither is
 * a superuser.
 */
export async function provision(cluster: Cluster, databases: readonly ServiceDatabase[]): Promise<void> {
  await withSuperuser(cluster, "postgres", async (client) => {
    const roles = await names(client, "select rolname as name from pg_roles");
    const present = await names(client, "select datname as name from pg_database");
    for (const { database, role, owner } of databases) {
      for (const name of [owner, role].filter((candidate) => !roles.has(candidate))) {
        await client.query(`create role ${quoted(name)} login nosuperuser nocreatedb nocreaterole noinherit`);
        roles.add(name);
      }
      if (!present.has(database))
        await client.query(`create database ${quoted(database)} owner ${quoted(owner)}`);
      await client.query(`revoke all on database ${quoted(database)} from public`);
      await client.query(`grant connect on database ${quoted(database)} to ${quoted(role)}`);
    }
  });
}

async function withSuperuser<T>(
  { socketDir, port }: Cluster,
  database: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    host: socketDir,
    port,
    user: "postgres",
    database,
    connectionTimeoutMillis: 5_000,
  });
  client.on("error", () => undefined); // a server that goes away fails the query too
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function names(client: pg.Client, query: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(query);
  return new Set(rows.map(({ name }) => name));
}

const quoted = (name: string): string => pg.escapeIdentifier(name);
