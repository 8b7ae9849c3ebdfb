/** What PostgreSQL is told of itself, its roles and who may log in, in a cluster and on one host. */
import { POSTGRES_TUNING, RESERVED_CONNECTIONS, WORKLOADS } from "@orrery/mesh/topology";
import { GENERATED_MARK } from "./manifest.ts";

/** Connections of the server: the pools of three replicas of everything, and what it keeps for itself. */
export const MAX_CONNECTIONS = 200;

/** The database of each workload that has one. */
export const DATABASES = WORKLOADS.flatMap(({ database }) => (database === null ? [] : [database]));

/**
 * Who may log in over the network: each role into its one database, with the leaf whose CN it is. Never the superuser,
 * and nobody by a password.
 */
export const loginRules = (): readonly string[] => [
  ...DATABASES.flatMap(({ name, role, ownerRole }) =>
    [role, ownerRole].map((login) => `hostssl ${name} ${login} all cert`),
  ),
  "host all all all reject",
];

/** Settings of every rung. */
export const POSTGRES_SETTINGS = {
  max_connections: String(MAX_CONNECTIONS),
  superuser_reserved_connections: String(Math.min(RESERVED_CONNECTIONS, 5)),
  shared_buffers: "256MB",
  ...POSTGRES_TUNING,
} as const;

/** The settings of a server that stands alone, and shows the leaf in that folder. */
export function postgresSettings(leaf: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}) {
  const settings = {
    listen_addresses: "*",
    ...POSTGRES_SETTINGS,
    ssl: "on",
    ssl_cert_file: leaf.certFile,
    ssl_key_file: leaf.keyFile,
    ssl_ca_file: leaf.caFile,
    ssl_min_protocol_version: "TLSv1.3",
    timezone: "UTC",
    log_timezone: "UTC",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`);
  return `${GENERATED_MARK}\n${lines.join("")}`;
}

/** The rules of a server that stands alone: its superuser comes in by the socket inside its container alone. */
export const hostRules = (): string =>
  [GENERATED_MARK, "local all postgres peer", ...loginRules(), ""].join("\n");

/** Databases and roles, for the first start of an empty server. The owner migrates, the role serves. */
export const rolesSql = (): string => {
  const statements = DATABASES.flatMap(({ name, role, ownerRole }) => [
    ...[ownerRole, role].map(
      (login) => `create role ${login} login nosuperuser nocreatedb nocreaterole noinherit;`,
    ),
    `create database ${name} owner ${ownerRole} template template0 encoding 'UTF8' locale 'C';`,
    `revoke all on database ${name} from public;`,
    `grant connect on database ${name} to ${role};`,
  ]);
  return `-- ${GENERATED_MARK.slice(2)}\n${statements.join("\n")}\n`;
};
