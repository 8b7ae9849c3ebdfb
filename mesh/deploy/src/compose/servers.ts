/** What the platform stands on and is looked at with, on one host. */
import { PLACES } from "../configuration.ts";
import { GENERATED_MARK } from "../manifest.ts";
import { IMAGES, USER } from "../names.ts";
import { grafanaVariables, RULES_FOLDER } from "../watching.ts";
import { CONFINED, type Container, leafMount } from "./containers.ts";
import { AUDITOR, hostOf, LEAF, USERS } from "./place.ts";

const INSIDE = (name: string): object => ({ inside: { aliases: [hostOf(name)] } });
const BOTH = { inside: {}, outside: {} };
const KEPT = { keeper: { condition: "service_healthy" } };

/** A file of the repository, read only. */
const file = (source: string, target: string): object => ({ type: "bind", source, target, read_only: true });
const volume = (source: string, target: string): object => ({ type: "volume", source, target });

/** Published on this machine alone: who may reach it from elsewhere goes through a tunnel. */
const published = (...ports: readonly number[]): readonly string[] =>
  ports.map((port) => `127.0.0.1:${port}:${port}`);

/** Stores, watchers and the administrators' pages, by name. */
export const serverContainers = (): Readonly<Record<string, Container>> => ({
  postgres: postgres(),
  nats: nats(),
  elasticsearch: elasticsearch(),
  prometheus: prometheus(),
  alertmanager: alertmanager(),
  grafana: grafana(),
  pgadmin: pgadmin(),
  kibana: kibana(),
});

function postgres(): Container {
  return {
    image: IMAGES.postgres,
    command: ["-c", "config_file=/etc/orrery/postgresql.conf", "-c", "hba_file=/etc/orrery/pg_hba.conf"],
    ...CONFINED,
    user: `${USERS.postgres}:${USERS.postgres}`,
    environment: {
      POSTGRES_INITDB_ARGS: "--locale=C --encoding=UTF8",
      POSTGRES_HOST_AUTH_METHOD: "reject",
    },
    tmpfs: ["/tmp", `/var/run/postgresql:uid=${USERS.postgres},gid=${USERS.postgres}`],
    mem_limit: "1g",
    shm_size: "256m",
    stop_grace_period: "60s",
    volumes: [
      volume("postgres-data", "/var/lib/postgresql"),
      leafMount("postgres"),
      file("./generated/postgresql.conf", "/etc/orrery/postgresql.conf"),
      file("./generated/pg_hba.conf", "/etc/orrery/pg_hba.conf"),
      file("./generated/roles.sql", "/docker-entrypoint-initdb.d/roles.sql"),
    ],
    networks: INSIDE("postgres"),
    healthcheck: {
      // By the network's address: while the empty server is prepared it answers on its socket alone.
      test: ["CMD", "pg_isready", "-U", "postgres", "-h", "127.0.0.1"],
      interval: "3s",
      timeout: "3s",
      retries: 60,
    },
    depends_on: KEPT,
  };
}

function nats(): Container {
  return {
    image: IMAGES.nats,
    entrypoint: ["nats-server", "-c", "/etc/nats/nats.conf"],
    ...CONFINED,
    user: `${USER}:${USER}`,
    mem_limit: "512m",
    volumes: [
      volume("nats-data", "/data"),
      leafMount("nats"),
      file("./generated/nats.conf", "/etc/nats/nats.conf"),
    ],
    networks: { ...INSIDE("nats"), outside: {} },
    ports: published(8222),
    depends_on: KEPT,
  };
}

function elasticsearch(): Container {
  return {
    image: IMAGES.elasticsearch,
    ...CONFINED,
    // It makes a keystore beside its configuration.
    read_only: false,
    environment: {
      "discovery.type": "single-node",
      "xpack.security.enabled": "false",
      // Kibana keeps its own things here; the observatory's indices come by templates.
      "action.auto_create_index": ".*",
      "node.store.allow_mmap": "false",
      ES_JAVA_OPTS: "-Xms512m -Xmx512m",
    },
    mem_limit: "1536m",
    stop_grace_period: "60s",
    volumes: [volume("elasticsearch-data", "/usr/share/elasticsearch/data")],
    networks: INSIDE("elasticsearch"),
    healthcheck: {
      test: ["CMD", "curl", "-fsS", "http://127.0.0.1:9200/_cluster/health?local=true"],
      interval: "5s",
      timeout: "5s",
      retries: 60,
    },
  };
}

function prometheus(): Container {
  return {
    image: IMAGES.prometheus,
    command: [
      "--config.file=/etc/prometheus/prometheus.yaml",
      "--storage.tsdb.path=/prometheus",
      "--storage.tsdb.retention.time=15d",
      "--storage.tsdb.retention.size=8GB",
    ],
    ...CONFINED,
    mem_limit: "768m",
    volumes: [
      volume("prometheus-data", "/prometheus"),
      leafMount("prometheus"),
      file("./generated/prometheus.yaml", "/etc/prometheus/prometheus.yaml"),
      file("../../observability/rules", RULES_FOLDER),
    ],
    networks: BOTH,
    ports: published(9090),
    depends_on: KEPT,
  };
}

function alertmanager(): Container {
  return {
    image: IMAGES.alertmanager,
    command: ["--config.file=/etc/alertmanager/alertmanager.yaml", "--storage.path=/alertmanager"],
    ...CONFINED,
    mem_limit: "128m",
    volumes: [
      volume("alertmanager-data", "/alertmanager"),
      leafMount("alertmanager"),
      file("./generated/alertmanager.yaml", "/etc/alertmanager/alertmanager.yaml"),
    ],
    networks: BOTH,
    ports: published(9093),
    depends_on: KEPT,
  };
}

function grafana(): Container {
  const provisioning = "../../observability/grafana/provisioning";
  const variables = grafanaVariables("http://prometheus:9090");
  return {
    image: IMAGES.grafana,
    ...CONFINED,
    environment: variables,
    tmpfs: ["/tmp"],
    mem_limit: "384m",
    volumes: [
      volume("grafana-data", "/var/lib/grafana"),
      file(`${provisioning}/datasources`, "/etc/grafana/provisioning/datasources"),
      file(`${provisioning}/dashboards`, "/etc/grafana/provisioning/dashboards"),
      ...["flow", "queues", "service", "slo"].map((name) =>
        file(
          `../../observability/dashboards/${name}.json`,
          `${variables.ORRERY_DASHBOARDS_DIR}/${name}.json`,
        ),
      ),
    ],
    networks: BOTH,
    ports: published(3000),
  };
}

function pgadmin(): Container {
  return {
    image: IMAGES.pgadmin,
    ...CONFINED,
    // It writes its settings beside its program at every start, and takes port 80 by a capability of the file.
    read_only: false,
    environment: {
      PGADMIN_LISTEN_PORT: "5050",
      PGADMIN_DISABLE_POSTFIX: "true",
      PGADMIN_DEFAULT_EMAIL: "operator@orrery.example",
      PGADMIN_DEFAULT_PASSWORD_FILE: `${PLACES.identity}/pgadmin-password`,
      PGADMIN_CONFIG_MASTER_PASSWORD_REQUIRED: "False",
    },
    mem_limit: "512m",
    volumes: [
      volume("pgadmin-data", "/var/lib/pgadmin"),
      leafMount(AUDITOR),
      file("./generated/pgadmin-servers.json", "/pgadmin4/servers.json"),
    ],
    networks: BOTH,
    ports: published(5050),
    depends_on: KEPT,
  };
}

function kibana(): Container {
  return {
    image: IMAGES.kibana,
    ...CONFINED,
    read_only: false,
    environment: { ELASTICSEARCH_HOSTS: "http://elasticsearch:9200", TELEMETRY_OPTIN: "false" },
    mem_limit: "1g",
    networks: BOTH,
    ports: published(5601),
    depends_on: { elasticsearch: { condition: "service_healthy" } },
  };
}

/** What pgAdmin shows: each database, read by the auditor with a certificate. */
export const pgadminServers = (databases: readonly string[]): string =>
  `${JSON.stringify(
    {
      "//": GENERATED_MARK.slice(2),
      Servers: Object.fromEntries(
        databases.map((name, at) => [
          String(at + 1),
          {
            Name: name,
            Group: "Orrery",
            Host: hostOf("postgres"),
            Port: 5432,
            MaintenanceDB: name,
            Username: AUDITOR,
            ConnectionParameters: {
              sslmode: "verify-full",
              sslcert: LEAF.certFile,
              sslkey: LEAF.keyFile,
              sslrootcert: LEAF.caFile,
            },
          },
        ]),
      ),
    },
    null,
    2,
  )}\n`;
