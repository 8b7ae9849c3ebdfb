import { fileURLToPath } from "node:url";
import type { DatabaseConfig } from "../config/database-config.ts";
import type { ServiceConfig } from "../config/service-config.ts";
import { loadIdentity } from "../identity/identity-files.ts";
import { migrate } from "../postgres/migrate.ts";
import { SCHEMA_DIFFERS, SchemaDiffers } from "../postgres/schema-differs.ts";
import { createLogger } from "../telemetry/logger.ts";

/**
 * Brings a service's schema up, or down by one, as its command line says: the whole of its `migrate.ts`.
 *
 * @param config - with the role that owns the schema
 * @param options.folder - where its migrations are
 * @param options.direction - the word of the command line. @default up
 * @throws Error for any other word, and where a migration fails; a database that other files made is said in one
 * line, with exit code 65
 */
export async function migrateService(
  config: ServiceConfig & { readonly database: DatabaseConfig },
  { folder, direction = "up" }: { readonly folder: URL; readonly direction: string | undefined },
): Promise<void> {
  if (direction !== "up" && direction !== "down") throw new Error(`say up or down, not ${direction}`);
  const { service, instance, logLevel, identityFile, caFile } = config;
  const { name: database, ...login } = config.database;
  const logger = createLogger({ service, instance, level: logLevel });
  using identity =
    identityFile === undefined || caFile === undefined
      ? undefined
      : await loadIdentity({ identityFile, caFile, logger });
  try {
    await migrate({ ...login, database, identity, directory: fileURLToPath(folder), direction, logger });
  } catch (failure) {
    if (!(failure instanceof SchemaDiffers)) throw failure;
    process.stderr.write(`${failure.message}\n`);
    process.exitCode = SCHEMA_DIFFERS;
  }
}
