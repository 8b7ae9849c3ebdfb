import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import type { Workload } from "../../topology.ts";
import { elasticsearchAccount, postgresAccount } from "./account.ts";
import { resolveElasticsearch } from "./binaries/elasticsearch-folder.ts";
import { resolvePostgres } from "./binaries/postgres-folder.ts";
import { printedVersion } from "./binaries/program.ts";
import { resolveBinary } from "./binaries/resolve.ts";
import {
  type ElasticsearchNode,
  elasticsearchAnswers,
  elasticsearchArgs,
  elasticsearchEnvironment,
  prepareElasticsearch,
} from "./elasticsearch-node.ts";
import type { FreePorts } from "./free-port.ts";
import type { Identities } from "./identities.ts";
import { LogFile } from "./log-file.ts";
import { natsConfig } from "./nats-config.ts";
import { replaceFile } from "./owned-file.ts";
import { reachablePlace, shortHash } from "./places.ts";
import { postgresAccepts } from "./postgres-admin.ts";
import { type Cluster, prepareCluster, serverArgs } from "./postgres-cluster.ts";
import { isReady } from "./readiness.ts";
import type { Command } from "./supervised-process.ts";

/** A server that the platform stands on: what starts it, how it is asked, and what is printed of it. */
export interface Server {
  readonly command: Command;
  readonly dataDir: string;
  readonly address: string;
  readonly version: string;
  /** Something that its user should know, such as an old version. */
  readonly warning?: string | undefined;
  /** Resolves when it answers, throws as long as it does not. */
  ready(): Promise<void>;
}

/** What a server is made from. */
export interface Ground {
  readonly home: string;
  readonly ports: FreePorts;
  readonly identities: Identities;
  readonly workloads: readonly Workload[];
  /** Takes one line for the person at the terminal. */
  readonly print: (line: string) => void;
}

/**
 * PostgreSQL's data and leaf lie where its own user can reach them: below the home, or in the system's place.
 */
export const postgresPlaces = (home: string) => ({
  dataDir: reachablePlace(home, "postgres"),
  identityFolder: reachablePlace(home, "identities/postgres"),
});

/**
 * Plans PostgreSQL: TLS with a client certificate for every role of the topology, the superuser by socket
 * only.
 */
export async function planPostgres({
  home,
  ports,
  identities,
  workloads,
}: Ground): Promise<Server & { cluster: Cluster }> {
  const { dataDir } = postgresPlaces(home);
  const { identityFile, caFile } = identities.paths("postgres");
  const logins = workloads.flatMap(({ database }) =>
    database ? [database.role, database.ownerRole].map((role) => ({ database: database.name, role })) : [],
  );
  const cluster: Cluster = {
    programs: await resolvePostgres(),
    account: postgresAccount(),
    dataDir,
    socketDir: socketFolder(dataDir),
    port: await ports.take(),
    access: { kind: "certificate", identityFile, caFile, logins },
  };
  return {
    cluster,
    dataDir,
    address: `127.0.0.1:${cluster.port}`,
    version: printedVersion(cluster.programs.postgres, ["--version"]) ?? "of unknown version",
    ready: () => postgresAccepts(cluster, 0),
    command: {
      name: "postgres",
      file: cluster.programs.postgres,
      args: serverArgs(cluster),
      env: { PATH: process.env.PATH ?? "" },
      cwd: "/",
      account: cluster.account,
      log: new LogFile(join(home, "logs/postgres.log")),
      stopSignal: "SIGINT",
      stopWithinMs: 30_000, // it writes a checkpoint
      prepare: () => prepareCluster(cluster),
    },
  };
}

/** The system allows 107 bytes for a socket's path, and PostgreSQL adds 20 to the folder's. */
function socketFolder(dataDir: string): string {
  const beside = `${dataDir}-socket`;
  return beside.length <= 85 ? beside : join(tmpdir(), `orrery-${shortHash(dataDir)}-socket`);
}

/**
 * Half of the processors: everything else runs beside it. On two, a thread that looks for work on the second cost a
 * sixth of what an event costs it.
 */
const NATS_PROCESSORS = Math.max(1, Math.floor(availableParallelism() / 2));

/** Plans nats-server with a user for every workload that has one in the topology. */
export async function planNats(ground: Ground): Promise<Server> {
  const { home, ports, identities, workloads, print } = ground;
  const { path, version, from, warning } = await resolveBinary("nats-server", print);
  const [port, monitorPort] = [await ports.take(), await ports.take()];
  const dataDir = join(home, "nats");
  const config = join(home, "nats.conf");
  const { identityFile, caFile } = identities.paths("nats");
  return {
    dataDir,
    address: `tls://127.0.0.1:${port}`,
    version: `${version} (${from})`,
    warning,
    ready: () => isReady(`http://127.0.0.1:${monitorPort}/healthz`),
    command: {
      name: "nats",
      file: path,
      args: ["-c", config],
      env: { PATH: process.env.PATH ?? "", GOMAXPROCS: String(NATS_PROCESSORS) },
      cwd: "/",
      log: new LogFile(join(home, "logs/nats.log")),
      prepare: () => {
        const node = { port, monitorPort, storeDir: dataDir, identityFile, caFile, workloads };
        replaceFile(config, natsConfig(node));
      },
    },
  };
}

/** Plans Elasticsearch on one node, without its own security: it listens on loopback only. */
export async function planElasticsearch({ home, ports, print }: Ground): Promise<Server> {
  const folder = await resolveElasticsearch(print);
  const place = reachablePlace(home, "elasticsearch");
  const node: ElasticsearchNode = {
    folder,
    account: elasticsearchAccount(),
    home: place,
    httpPort: await ports.take(),
    transportPort: await ports.take(),
    heapMiB: 512,
  };
  const url = `http://127.0.0.1:${node.httpPort}`;
  return {
    dataDir: join(place, "data"),
    address: url,
    version: folder.version,
    ready: () => elasticsearchAnswers(url),
    command: {
      name: "elasticsearch",
      file: folder.java,
      args: elasticsearchArgs(node),
      env: elasticsearchEnvironment(node),
      cwd: folder.path,
      account: node.account,
      log: new LogFile(join(home, "logs/elasticsearch.log")),
      stopWithinMs: 30_000,
      prepare: () => prepareElasticsearch(node),
    },
  };
}
