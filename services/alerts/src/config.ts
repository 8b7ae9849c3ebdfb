import { readConfig } from "@orrery/mesh/config/read-config";
import { type ServiceConfig, serviceConfig } from "@orrery/mesh/config/service-config";

/** Where the database is, and as whom to log in. */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly role: string;
}

/** What the alerts service is told by its environment. */
export interface AlertsConfig extends ServiceConfig {
  readonly database: DatabaseConfig;
  /** Connections for webhooks, commands and the sweeper. */
  readonly commandConnections: number;
  /** Connections of the outbox relay. */
  readonly relayConnections: number;
  readonly natsUrl: string;
  /** Alertmanager's own address, to compare with what it knows; undefined: it is only listened to. */
  readonly alertmanagerUrl: string | undefined;
  /** Whether this process may publish the outbox; off for benchmarks. */
  readonly relay: boolean;
}

/** Reads the environment of the service. @throws ConfigError with every setting that is wrong */
export const alertsConfig = (): Readonly<AlertsConfig> =>
  readConfig((read) => ({
    ...serviceConfig(read),
    database: {
      host: read.text("ORRERY_DATABASE_HOST"),
      port: read.integer("ORRERY_DATABASE_PORT", { min: 1, max: 65_535, default: 5_432 }),
      name: read.text("ORRERY_DATABASE_NAME", { default: "alerts" }),
      role: read.text("ORRERY_DATABASE_ROLE", { default: "alerts" }),
    },
    commandConnections: read.integer("ORRERY_COMMAND_CONNECTIONS", { min: 2, max: 100, default: 4 }),
    relayConnections: read.integer("ORRERY_RELAY_CONNECTIONS", { min: 2, max: 20, default: 2 }),
    natsUrl: read.text("ORRERY_NATS_URL"),
    alertmanagerUrl: read.optionalText("ORRERY_ALERTMANAGER_URL"),
    relay: read.choice("ORRERY_RELAY", { of: ["on", "off"], default: "on" }) === "on",
  }));
