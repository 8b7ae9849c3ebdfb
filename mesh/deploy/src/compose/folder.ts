/** The files below `compose/`. */
import { workloadDnsName } from "@orrery/mesh/identity/peer-identity";
import { type Files, yamlFile } from "../manifest.ts";
import { natsSettings } from "../nats-settings.ts";
import { DATABASES, hostRules, loginRules, postgresSettings, rolesSql } from "../postgres-settings.ts";
import { alertmanagerSettings, prometheusSettings, type WatchedPlace } from "../watching.ts";
import { platformContainers } from "./containers.ts";
import { AUDITOR, hostOf, LEAF } from "./place.ts";
import { pgadminServers, serverContainers } from "./servers.ts";

const VOLUMES = [
  ...["authority", "identities", "keys", "edge-keys", "traces"],
  ...["postgres", "nats", "elasticsearch", "prometheus", "alertmanager", "grafana", "pgadmin"].map(
    (name) => `${name}-data`,
  ),
];

const WATCHED: WatchedPlace = {
  leaf: { ca_file: LEAF.caFile, cert_file: LEAF.certFile, key_file: LEAF.keyFile },
  replicas: hostOf,
  alertmanager: "alertmanager:9093",
  alertsUrl: `https://${hostOf("alerts")}:9001/webhooks/alertmanager`,
  serverName: (workload) => workloadDnsName(workload),
};

const NATS_DISK_GIB = 70;

/** Everything that `docker compose` reads, and what it mounts. */
export function composeFiles(): Files {
  const compose = {
    name: "orrery",
    services: { ...serverContainers(), ...platformContainers() },
    networks: { inside: { internal: true }, outside: {} },
    volumes: Object.fromEntries(VOLUMES.map((name) => [name, {}])),
  };
  const databases = DATABASES.map(({ name }) => name);
  return new Map([
    ["compose/compose.yaml", yamlFile([compose])],
    ["compose/generated/postgresql.conf", postgresSettings(LEAF)],
    ["compose/generated/pg_hba.conf", withAuditor(hostRules(), databases)],
    ["compose/generated/roles.sql", `${rolesSql()}${auditorSql(databases)}`],
    ["compose/generated/nats.conf", natsSettings({ ...LEAF, storeDir: "/data", diskGiB: NATS_DISK_GIB })],
    ["compose/generated/prometheus.yaml", prometheusSettings(WATCHED)],
    ["compose/generated/alertmanager.yaml", alertmanagerSettings(WATCHED)],
    ["compose/generated/pgadmin-servers.json", pgadminServers(databases)],
  ]);
}

/** The rule that refuses everybody else stays the last. */
function withAuditor(rules: string, databases: readonly string[]): string {
  const last = loginRules().at(-1) ?? "";
  const auditor = databases.map((name) => `hostssl ${name} ${AUDITOR} all cert\n`).join("");
  return rules.replace(last, `${auditor}${last}`);
}

const auditorSql = (databases: readonly string[]): string =>
  [
    `create role ${AUDITOR} login nosuperuser nocreatedb nocreaterole in role pg_read_all_data, pg_monitor;`,
    ...databases.map((name) => `grant connect on database ${name} to ${AUDITOR};`),
    `alter role ${AUDITOR} set default_transaction_read_only = on;`,
    "",
  ].join("\n");
