import { existsSync } from "node:fs";
import { join } from "node:path";
import { heapFlags, type Workload, type WorkloadName } from "../../topology.ts";
import type { FreePorts } from "./free-port.ts";
import type { IdentityPaths } from "./identities.ts";
import { LogFile } from "./log-file.ts";
import { COMPILE_CACHE, ROOT } from "./places.ts";
import type { Settings } from "./settings.ts";
import type { Command } from "./supervised-process.ts";

/** Where one replica of a workload listens. */
export interface Placed {
  readonly workload: Workload;
  /** `jobs-0`, `jobs-1`. */
  readonly instance: string;
  readonly grpcPort: number;
  readonly adminPort: number;
  /** Only of the gateway: what faces the outside. */
  readonly edge: { readonly httpPort: number; readonly grpcPort: number } | undefined;
}

/** The edge begins so many traces in a second: whatever somebody does by hand has one. */
const TRACES_PER_SECOND = "50";

/** What all services of a platform are told. */
export interface Surroundings {
  readonly settings: Settings;
  readonly placed: readonly Placed[];
  readonly postgresPort: number;
  readonly natsUrl: string;
  readonly elasticsearchUrl: string | undefined;
  /** Alertmanager's, for the alerts service; undefined where none runs. */
  readonly alertmanagerUrl: string | undefined;
  readonly keysFile: string;
  /** The folder of the built web page; undefined where it could not be built. */
  readonly webFolder: string | undefined;
  identity(name: string): IdentityPaths;
}

/**
 * Gives every replica its ports. Gateway n faces the outside on the first port + 2n (HTTP) and + 2n + 1
 * (gRPC); a port that is taken moves to the next free one.
 */
export async function placeAll(
  workloads: readonly Workload[],
  settings: Settings,
  ports: FreePorts,
): Promise<readonly Placed[]> {
  const placed: Placed[] = [];
  for (const workload of workloads) {
    for (let replica = 0; replica < (settings.replicas ?? workload.replicas); replica += 1) {
      const wanted = settings.firstPort + 2 * replica;
      placed.push({
        workload,
        instance: `${workload.name}-${replica}`,
        grpcPort: await ports.take(),
        adminPort: await ports.take(),
        edge:
          workload.ports.http === undefined
            ? undefined
            : { httpPort: await ports.takeFrom(wanted), grpcPort: await ports.takeFrom(wanted + 1) },
      });
    }
  }
  return placed;
}

/**
 * What starts one replica: the same Node, a small heap, and the tracing that has to load before everything
 * else.
 */
export function serviceCommand(placed: Placed, surroundings: Surroundings): Command {
  const { workload, instance } = placed;
  const preload = join(ROOT, "mesh/chassis/src/telemetry/preload.cjs");
  return {
    name: instance,
    file: process.execPath,
    args: [
      ...heapFlags(workload.memory),
      ...(existsSync(preload) ? ["--require", preload] : []),
      join(ROOT, workload.folder, workload.main),
    ],
    env: serviceEnvironment(placed, surroundings),
    cwd: ROOT,
    log: new LogFile(join(surroundings.settings.home, "logs", `${instance}.log`)),
    stopWithinMs: 20_000, // a service drains for 10 s, and then some
  };
}

/** The migrations of a workload's database, run as its owner; undefined where it has none. */
export function migrationCommand(
  placed: Placed,
  surroundings: Surroundings,
): { readonly file: string; readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv } | undefined {
  const { database, folder } = placed.workload;
  const main = join(ROOT, folder, "src/migrate.ts");
  if (database === null || !existsSync(main)) return undefined;
  const { identityFile, caFile } = surroundings.identity(database.ownerRole);
  const env = {
    ...serviceEnvironment(placed, surroundings),
    ORRERY_DATABASE_ROLE: database.ownerRole,
    ORRERY_IDENTITY_FILE: identityFile,
    ORRERY_CA_FILE: caFile,
  };
  return { file: process.execPath, args: [main, "up"], env };
}

/**
 * Addresses and names of files; never a secret. A service finds nothing else of the launcher's environment.
 */
function serviceEnvironment(placed: Placed, surroundings: Surroundings): NodeJS.ProcessEnv {
  const { workload, instance, grpcPort, adminPort, edge } = placed;
  const { settings, postgresPort, natsUrl, elasticsearchUrl, alertmanagerUrl, keysFile, webFolder } =
    surroundings;
  const { identityFile, caFile } = surroundings.identity(workload.name);
  return {
    ...settings.handedThrough,
    PATH: process.env.PATH ?? "",
    NODE_ENV: "production",
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ORRERY_SERVICE: workload.name,
    ORRERY_INSTANCE: instance,
    ORRERY_GRPC_ADDRESS: loopback(grpcPort),
    ORRERY_ADMIN_ADDRESS: loopback(adminPort),
    ORRERY_IDENTITY_SOURCE: "tls",
    ORRERY_IDENTITY_FILE: identityFile,
    ORRERY_CA_FILE: caFile,
    ORRERY_READ_MODEL: settings.readModel,
    ORRERY_READ_MODEL_DIR: join(settings.home, "read-model"),
    ORRERY_TRACE_DIR: join(settings.home, "traces"),
    ORRERY_OTLP_URL: settings.handedThrough.ORRERY_OTLP_URL ?? spanCollector(surroundings.placed),
    ORRERY_RELAY: settings.relay,
    ...(workload.database && {
      ORRERY_DATABASE_HOST: "127.0.0.1",
      ORRERY_DATABASE_PORT: String(postgresPort),
      ORRERY_DATABASE_NAME: workload.database.name,
      ORRERY_DATABASE_ROLE: workload.database.role,
      ...Object.fromEntries(
        Object.entries(workload.database.pools).map(([purpose, size]) => [
          `ORRERY_${purpose.toUpperCase()}_CONNECTIONS`,
          String(size),
        ]),
      ),
    }),
    ...(workload.nats && { ORRERY_NATS_URL: natsUrl }),
    ...(elasticsearchUrl !== undefined && { ORRERY_ELASTICSEARCH_URL: elasticsearchUrl }),
    ...(alertmanagerUrl !== undefined && { ORRERY_ALERTMANAGER_URL: alertmanagerUrl }),
    ...Object.fromEntries(workload.peers.map((peer) => peerVariable(peer, surroundings.placed))),
    ...(edge && {
      ORRERY_HTTP_ADDRESS: loopback(edge.httpPort),
      ORRERY_EDGE_GRPC_ADDRESS: loopback(edge.grpcPort),
      ORRERY_KEYS_FILE: keysFile,
      ORRERY_TRACES_PER_SECOND: settings.handedThrough.ORRERY_TRACES_PER_SECOND ?? TRACES_PER_SECOND,
      ORRERY_RUNBOOKS_DIR: join(ROOT, "mesh/observability/runbooks"),
      ...(webFolder !== undefined && { ORRERY_WEB_DIR: webFolder }),
    }),
  };
}

function peerVariable(peer: WorkloadName, placed: readonly Placed[]): readonly [string, string] {
  const addresses = placed
    .filter(({ workload }) => workload.name === peer)
    .map(({ grpcPort }) => loopback(grpcPort));
  return [`ORRERY_PEER_${peer.toUpperCase()}`, addresses.join(",")];
}

/** Where spans go: the first observatory, whose store the others share. */
function spanCollector(placed: readonly Placed[]): string {
  const observatory = placed.find(({ workload }) => workload.name === "observatory");
  return observatory === undefined ? "off" : `https://${loopback(observatory.adminPort)}/v1/traces`;
}

/** An address on this machine, which nothing else can reach. */
export const loopback = (port: number): string => `127.0.0.1:${port}`;
