import { type BrokerConfig, brokerConfig } from "@orrery/mesh/config/broker-config";
import { type DatabaseConfig, databaseConfig } from "@orrery/mesh/config/database-config";
import { readConfig } from "@orrery/mesh/config/read-config";
import { type ServiceConfig, serviceConfig } from "@orrery/mesh/config/service-config";

/** What the jobs service is told by its environment. */
interface JobsConfig extends ServiceConfig, BrokerConfig {
  readonly database: DatabaseConfig;
  /** Connections for submissions, grants, commands and reads. */
  readonly commandConnections: number;
  /**
   * Connections that heartbeats and results have to themselves, so that no flood of submissions costs a
   * lease.
   */
  readonly leaseConnections: number;
  /** Connections of the outbox relay. */
  readonly relayConnections: number;
  /** Whether this process may publish the outbox; off for benchmarks. */
  readonly relay: boolean;
}

/** Reads the environment of the service. @throws ConfigError with every setting that is wrong */
export const jobsConfig = (): Readonly<JobsConfig> =>
  readConfig((read) => ({
    ...serviceConfig(read),
    database: databaseConfig(read, "jobs"),
    commandConnections: read.integer("ORRERY_COMMAND_CONNECTIONS", { min: 4, max: 100, default: 16 }),
    leaseConnections: read.integer("ORRERY_LEASE_CONNECTIONS", { min: 2, max: 100, default: 8 }),
    relayConnections: read.integer("ORRERY_RELAY_CONNECTIONS", { min: 2, max: 20, default: 3 }),
    ...brokerConfig(read),
    relay: read.choice("ORRERY_RELAY", { of: ["on", "off"], default: "on" }) === "on",
  }));
