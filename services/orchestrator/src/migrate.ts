// Brings the schema up, or down by one: `node src/migrate.ts up|down`. Runs as the role that owns the schema,
// before the service starts; the service's own role cannot change a table.
import { fileURLToPath } from "node:url";
import { loadIdentity } from "@orrery/mesh/identity/identity-files";
import { migrate } from "@orrery/mesh/postgres/migrate";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { migrationConfig } from "./config.ts";

const [, , direction = "up"] = process.argv;
if (direction !== "up" && direction !== "down") throw new Error(`say up or down, not ${direction}`);

const config = migrationConfig();
const logger = createLogger({ service: config.service, instance: config.instance, level: config.logLevel });
const { identityFile, caFile, database } = config;
using identity =
  identityFile === undefined || caFile === undefined
    ? undefined
    : await loadIdentity({ identityFile, caFile, logger });

await migrate({
  host: database.host,
  port: database.port,
  database: database.name,
  role: database.role,
  identity,
  directory: fileURLToPath(new URL("../migrations", import.meta.url)),
  direction,
  logger,
});
