/** The containers of the platform itself on one host: workloads, their migrations, and the keeper. */
import { WORKLOADS, type Workload } from "@orrery/mesh/topology";
import { migrationsOf } from "../call-graph.ts";
import { migrateArguments, nodeArguments, PLACES, variablesOf } from "../configuration.ts";
import { APP, imageOf, USER, VERSION } from "../names.ts";
import { hostOf, ONE_HOST } from "./place.ts";

/** A service of the compose file. */
export type Container = Readonly<Record<string, unknown>>;

/** What no container may do, whatever it runs. */
export const CONFINED = {
  read_only: true,
  cap_drop: ["ALL"],
  security_opt: ["no-new-privileges:true"],
  restart: "unless-stopped",
} as const;

const GRACE = "30s";
const KEEPER_HOME = "/orrery";

/** The part of the keeper's volume that is one holder's. */
export const leafMount = (holder: string): object => ({
  type: "volume",
  source: "identities",
  target: PLACES.identity,
  read_only: true,
  volume: { subpath: holder },
});

const buildOf = (workspace: string) => ({
  context: "../../..",
  dockerfile: "mesh/deploy/images/Dockerfile",
  args: { WORKSPACE: workspace },
});

/** Asks the process itself; its certificate names no container, and the loopback needs none. */
const READY = [
  "require('node:https').get({ port: 9001, path: '/readyz', rejectUnauthorized: false },",
  "(answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))",
].join(" ");

/** Every workload, after its migrations, which run after PostgreSQL answers. */
export const platformContainers = (): Readonly<Record<string, Container>> => ({
  keeper: keeper(),
  ...Object.fromEntries(
    WORKLOADS.flatMap((workload): (readonly [string, Container])[] => [
      ...(workload.database === null
        ? []
        : [[migrationsOf(workload.name), migrationContainer(workload)] as const]),
      [workload.name, workloadContainer(workload)],
    ]),
  ),
});

/**
 * Stands in for cert-manager and the secret manager: makes the authority, the leaves and the API keys, and renews the
 * leaves. It runs as root to give each file to the user of its reader, with that one power.
 */
function keeper(): Container {
  return {
    image: `orrery/keeper:${VERSION}`,
    build: buildOf("mesh"),
    command: [`${APP}/mesh/deploy/src/keeper/main.ts`, KEEPER_HOME],
    ...CONFINED,
    user: "0:0",
    cap_add: ["CHOWN", "DAC_OVERRIDE", "FOWNER"],
    network_mode: "none",
    tmpfs: ["/tmp"],
    mem_limit: "256m",
    volumes: [
      { type: "volume", source: "authority", target: `${KEEPER_HOME}/authority` },
      { type: "volume", source: "identities", target: `${KEEPER_HOME}/identities` },
      { type: "volume", source: "keys", target: `${KEEPER_HOME}/keys` },
      { type: "volume", source: "edge-keys", target: `${KEEPER_HOME}/edge` },
      { type: "volume", source: "nats-data", target: `${KEEPER_HOME}/nats` },
      { type: "volume", source: "traces", target: `${KEEPER_HOME}/traces` },
    ],
    healthcheck: {
      test: ["CMD", "node", "-e", `require('node:fs').accessSync('${KEEPER_HOME}/edge/keys.json')`],
      interval: "2s",
      timeout: "5s",
      retries: 30,
    },
  };
}

function workloadContainer(workload: Workload): Container {
  const { name, folder, memory, database, peers, nats } = workload;
  const variables = { ...variablesOf(workload, ONE_HOST), ORRERY_INSTANCE: `${name}-0` };
  return {
    image: imageOf(name),
    build: buildOf(folder),
    command: nodeArguments(workload),
    ...CONFINED,
    user: `${USER}:${USER}`,
    environment: variables,
    tmpfs: ["/tmp"],
    mem_limit: `${memory.limitMiB}m`,
    stop_grace_period: GRACE,
    volumes: [
      leafMount(name),
      ...(name === "gateway"
        ? [{ type: "volume", source: "edge-keys", target: PLACES.keys, read_only: true }]
        : []),
      ...(name === "observatory" ? [{ type: "volume", source: "traces", target: PLACES.traces }] : []),
    ],
    networks: networksOf(workload),
    ...(workload.ports.http !== undefined && {
      ports: [workload.ports.http, workload.ports.grpc].map((port) => `127.0.0.1:${port}:${port}`),
    }),
    healthcheck: { test: ["CMD", "node", "-e", READY], interval: "5s", timeout: "5s", retries: 24 },
    depends_on: {
      keeper: { condition: "service_healthy" },
      ...(database && { [migrationsOf(name)]: { condition: "service_completed_successfully" } }),
      ...(nats && { nats: { condition: "service_started" } }),
      ...(name === "observatory" && { elasticsearch: { condition: "service_healthy" } }),
      ...Object.fromEntries(peers.map((peer) => [peer, { condition: "service_started" }])),
    },
  };
}

/** Inside nothing leads out; what the outside talks to, and the worker's calls to the world, need a second net. */
function networksOf({ name, ports }: Workload): object {
  const leadsOut = ports.http !== undefined || name === "worker";
  return { inside: { aliases: [hostOf(name)] }, ...(leadsOut && { outside: {} }) };
}

function migrationContainer(workload: Workload): Container {
  const owner = workload.database?.ownerRole ?? "";
  const name = migrationsOf(workload.name);
  return {
    image: imageOf(workload.name),
    command: migrateArguments(workload),
    ...CONFINED,
    restart: "on-failure:5",
    user: `${USER}:${USER}`,
    environment: {
      ...variablesOf(workload, ONE_HOST),
      ORRERY_INSTANCE: name,
      ORRERY_DATABASE_ROLE: owner,
      ORRERY_OTLP_URL: "off",
    },
    tmpfs: ["/tmp"],
    mem_limit: "256m",
    volumes: [leafMount(owner)],
    networks: { inside: {} },
    depends_on: {
      keeper: { condition: "service_healthy" },
      postgres: { condition: "service_healthy" },
    },
  };
}
