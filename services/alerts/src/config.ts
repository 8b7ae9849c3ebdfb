import { type BrokerConfig, brokerConfig } from "@orrery/mesh/config/broker-config";
import { type DatabaseConfig, databaseConfig } from "@orrery/mesh/config/database-config";
import { readConfig } from "@orrery/mesh/config/read-config";
import { type ServiceConfig, serviceConfig } from "@orrery/mesh/config/service-config";

/** What the alerts service is told by its environment. */
export interface AlertsConfig extends ServiceConfig, BrokerConfig {
  readonly database: DatabaseConfig;
  /** Connections for webhooks, commands and the sweeper. */
  readonly commandConnections: number;
  /** Connections of the outbox relay. */
  readonly relayConnections: number;
  /** Alertmanager's own address, to compare with what it knows; undefined: it is only listened to. */
  readonly alertmanagerUrl: string | undefined;
  /** Whether this process may publish the outbox; off for benchmarks. */
  readonly relay: boolean;
}

/** Reads the environment of the service. @throws ConfigError with every setting that is wrong */
export const alertsConfig = (): Readonly<AlertsConfig> =>
  readConfig((read) => ({
    ...serviceConfig(read),
    database: databaseConfig(read, "alerts"),
    commandConnections: read.integer("ORRERY_COMMAND_CONNECTIONS", { min: 2, max: 100, default: 4 }),
    relayConnections: read.integer("ORRERY_RELAY_CONNECTIONS", { min: 2, max: 20, default: 2 }),
    ...brokerConfig(read),
    alertmanagerUrl: read.optionalText("ORRERY_ALERTMANAGER_URL"),
    relay: read.choice("ORRERY_RELAY", { of: ["on", "off"], default: "on" }) === "on",
  }));
