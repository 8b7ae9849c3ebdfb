import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runner } from "node-pg-migrate";
import pg from "pg";
import type { IdentityFiles } from "../identity/identity-files.ts";
import type { Logger } from "../telemetry/logger.ts";
import { SchemaDiffers } from "./schema-differs.ts";

/** Which migrations of which database to run. */
export interface MigrateOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** The role that owns the schema, not the one that the service runs as. */
  readonly role: string;
  /** Key and certificate for TLS; without it the connection is plain, for tests. */
  readonly identity?: Pick<IdentityFiles, "current"> | undefined;
  /** The folder of `NNNN_name.sql` files, each with `-- Up Migration` and `-- Down Migration`. */
  readonly directory: string;
  /** All that are not applied yet, or the last one back. */
  readonly direction: "up" | "down";
  readonly logger: Logger;
}

const APPLIED_TABLE = "migration";
const CREATE_CHECKSUMS = `create table if not exists migration_checksum (
  name text primary key,
  sha256 text not null
)`;

/**
 * Brings the schema up, or down by one step, all or nothing, one migrator at a time.
 *
 * @throws SchemaDiffers when a file that was applied before has changed or is gone: append a new migration instead
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { directory, direction, logger } = options;
  const client = new pg.Client(clientConfig(options));
  await client.connect();
  try {
    await client.query(CREATE_CHECKSUMS);
    await refuseChangedFiles(client, directory);
    const ran = await runner({
      dbClient: client,
      dir: directory,
      direction,
      migrationsTable: APPLIED_TABLE,
      checkOrder: true,
      singleTransaction: true,
      advisoryLockMode: "wait",
      logger: {
        debug: () => undefined,
        info: (line: string) => logger.debug(line),
        warn: (line: string) => logger.warn(line),
        error: (line: string) => logger.error(line),
      },
    });
    const names = ran.map(({ name }) => name);
    await rememberApplied(client, directory);
    if (names.length > 0)
      logger.info(`migrated ${direction}`, { database: options.database, migrations: names });
  } finally {
    await client.end();
  }
}

/** What a folder of migrations holds, as one digest: the same for the same files. */
export function migrationsDigest(directory: string): string {
  const digest = createHash("sha256");
  for (const name of readdirSync(directory).sort()) digest.update(name).update(checksum(directory, name));
  return digest.digest("hex");
}

async function refuseChangedFiles(client: pg.Client, directory: string): Promise<void> {
  const { rows } = await client.query<{ name: string; sha256: string }>(
    "select name, sha256 from migration_checksum",
  );
  const present = new Set(readdirSync(directory));
  for (const { name, sha256 } of rows) {
    const file = `${name}.sql`;
    if (!present.has(file))
      throw new SchemaDiffers(`migration ${file} was applied and is gone from ${directory}`);
    if (checksum(directory, file) !== sha256) {
      throw new SchemaDiffers(
        `migration ${file} was changed after it was applied; undo the change and add a new migration`,
      );
    }
  }
}

/** Makes the checksums those of what is applied: also of what a migrator that was killed left behind. */
async function rememberApplied(client: pg.Client, directory: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>(`select name from ${APPLIED_TABLE}`);
  const names = rows.map(({ name }) => name);
  const checksums = names.map((name) => checksum(directory, `${name}.sql`));
  await client.query("delete from migration_checksum where name <> all($1::text[])", [names]);
  await client.query(
    `insert into migration_checksum (name, sha256) select * from unnest($1::text[], $2::text[])
     on conflict (name) do nothing`,
    [names, checksums],
  );
}

function checksum(directory: string, file: string): string {
  return createHash("sha256")
    .update(readFileSync(join(directory, file)))
    .digest("hex");
}

function clientConfig({ host, port, database, role, identity }: MigrateOptions): pg.ClientConfig {
  const plain = { host, port, database, user: role, application_name: "migrate" };
  if (identity === undefined) return plain;
  const { keyPem, certPem, caPem } = identity.current();
  return { ...plain, ssl: { key: keyPem, cert: certPem, ca: caPem, minVersion: "TLSv1.3" } };
}
