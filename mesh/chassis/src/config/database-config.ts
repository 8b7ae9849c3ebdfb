import type { ConfigReader } from "./read-config.ts";

/** Where the database is, and as whom to log in. */
export interface DatabaseConfig {
  /** `ORRERY_DATABASE_HOST`. */
  readonly host: string;
  /** `ORRERY_DATABASE_PORT`, 5432 unless said. */
  readonly port: number;
  /** `ORRERY_DATABASE_NAME`, the workload's unless said. */
  readonly name: string;
  /** `ORRERY_DATABASE_ROLE`, the workload's unless said. */
  readonly role: string;
}

/** Reads where the database of a workload is. Call it inside `readConfig`, beside the service's own settings. */
export function databaseConfig(read: ConfigReader, workload: string): DatabaseConfig {
  return {
    host: read.text("ORRERY_DATABASE_HOST"),
    port: read.integer("ORRERY_DATABASE_PORT", { min: 1, max: 65_535, default: 5_432 }),
    name: read.text("ORRERY_DATABASE_NAME", { default: workload }),
    role: read.text("ORRERY_DATABASE_ROLE", { default: workload }),
  };
}
