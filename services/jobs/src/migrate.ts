// Brings the schema up, or down by one: `node src/migrate.ts up|down`. Runs as the role that owns the schema,
// before the service starts; the service's own role cannot change a table.
import { migrateService } from "@orrery/mesh/lifecycle/migration";
import { jobsConfig } from "./config.ts";

const folder = new URL("../migrations", import.meta.url);
await migrateService(jobsConfig(), { folder, direction: process.argv[2] });
