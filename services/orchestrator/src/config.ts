import { type BrokerConfig, brokerConfig } from "@orrery/mesh/config/broker-config";
import { type DatabaseConfig, databaseConfig } from "@orrery/mesh/config/database-config";
import { type Address, readConfig } from "@orrery/mesh/config/read-config";
import { type ServiceConfig, serviceConfig } from "@orrery/mesh/config/service-config";

/** What a migration of the orchestrator's database is told by its environment. */
export interface MigrationConfig extends ServiceConfig {
  readonly database: DatabaseConfig;
}

/** What the orchestrator is told by its environment. */
export interface OrchestratorConfig extends MigrationConfig, BrokerConfig {
  /** Connections for launches, commands, reads and decisions. */
  readonly commandConnections: number;
  /** Connections of the outbox relay. */
  readonly relayConnections: number;
  /** Where the jobs service answers. */
  readonly jobs: readonly Address[];
  /** Whether this process may publish the outbox; off for benchmarks. */
  readonly relay: boolean;
}

/** Reads the environment of a migration. @throws ConfigError with every setting that is wrong */
export const migrationConfig = (): Readonly<MigrationConfig> =>
  readConfig((read) => ({ ...serviceConfig(read), database: databaseConfig(read, "orchestrator") }));

/** Reads the environment of the service. @throws ConfigError with every setting that is wrong */
export const orchestratorConfig = (): Readonly<OrchestratorConfig> =>
  readConfig((read) => ({
    ...serviceConfig(read),
    database: databaseConfig(read, "orchestrator"),
    commandConnections: read.integer("ORRERY_COMMAND_CONNECTIONS", { min: 4, max: 100, default: 8 }),
    relayConnections: read.integer("ORRERY_RELAY_CONNECTIONS", { min: 2, max: 20, default: 3 }),
    ...brokerConfig(read),
    jobs: read.addresses("ORRERY_PEER_JOBS"),
    relay: read.choice("ORRERY_RELAY", { of: ["on", "off"], default: "on" }) === "on",
  }));
