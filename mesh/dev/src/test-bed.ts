import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../../chassis/src/testing/eventually.ts";
import { elasticsearchAccount, postgresAccount } from "./account.ts";
import { BinaryMissing } from "./binaries/binary-missing.ts";
import { resolveElasticsearch } from "./binaries/elasticsearch-folder.ts";
import { resolvePostgres } from "./binaries/postgres-folder.ts";
import { resolveBinary } from "./binaries/resolve.ts";
import {
  type ElasticsearchNode,
  elasticsearchAnswers,
  elasticsearchArgs,
  elasticsearchEnvironment,
  prepareElasticsearch,
} from "./elasticsearch-node.ts";
import { FreePorts } from "./free-port.ts";
import { listenLazily } from "./lazy-server.ts";
import { LogFile } from "./log-file.ts";
import { postgresAccepts } from "./postgres-admin.ts";
import { type Cluster, prepareCluster, serverArgs } from "./postgres-cluster.ts";
import { type Command, SupervisedProcess } from "./supervised-process.ts";
import { endAbandonedBeds, recordOwner, recordProcess } from "./test-bed-record.ts";

/** The real servers that a run of tests stands on. */
export interface TestBed extends AsyncDisposable {
  /** What the tests find them by. A server that cannot be had here is absent, and named in `missing`. */
  readonly environment: Readonly<Record<string, string>>;
  /** One sentence for each server that cannot be had, with the command that would change that. */
  readonly missing: readonly string[];
}

/**
 * Starts one PostgreSQL (loopback, no password, fsync on as everywhere), finds nats-server (each test file
 * starts its own), and offers an Elasticsearch that boots at the first connection, so that a run without it
 * pays nothing.
 *
 * Gives: `ORRERY_TEST_POSTGRES` (superuser URL), `ORRERY_TEST_NATS_SERVER` (path of the program),
 * `ORRERY_TEST_ELASTICSEARCH` (URL; the first request waits about 10 s for the boot). Everything ends with
 * the bed; what a killed run left behind is ended by the next one.
 */
export async function startTestBed(): Promise<TestBed> {
  endAbandonedBeds();
  const folder = mkdtempSync(join(tmpdir(), "orrery-test-bed-"));
  const scope = new AsyncDisposableStack();
  scope.defer(() => rmSync(folder, { recursive: true, force: true }));
  try {
    chmodSync(folder, 0o711); // PostgreSQL's and Elasticsearch's users pass through to their own folders
    recordOwner(folder);
    const missing: string[] = [];
    const environment = await offers({ folder, ports: new FreePorts(folder), scope }, missing);
    return { environment, missing, [Symbol.asyncDispose]: () => scope.disposeAsync() };
  } catch (error) {
    await scope.disposeAsync();
    throw error;
  }
}

async function offers(bed: Bed, missing: string[]): Promise<Offer> {
  const found = await Promise.all(
    [postgres, natsServer, elasticsearch].map(async (offer): Promise<Offer> => {
      try {
        return await offer(bed);
      } catch (error) {
        if (!(error instanceof BinaryMissing)) throw error;
        missing.push(error.message);
        return {};
      }
    }),
  );
  return Object.assign({}, ...found) as Offer;
}

interface Bed {
  readonly folder: string;
  readonly ports: FreePorts;
  readonly scope: AsyncDisposableStack;
}

type Offer = Readonly<Record<string, string>>;

async function postgres(bed: Bed): Promise<Offer> {
  const cluster: Cluster = {
    programs: await resolvePostgres(),
    account: postgresAccount(),
    dataDir: join(bed.folder, "postgres"),
    socketDir: join(bed.folder, "socket"),
    port: await bed.ports.take(),
    access: { kind: "trust" },
  };
  run(bed, {
    name: "postgres",
    file: cluster.programs.postgres,
    args: serverArgs(cluster),
    account: cluster.account,
    stopSignal: "SIGINT",
    prepare: () => prepareCluster(cluster),
  });
  await postgresAccepts(cluster);
  return { ORRERY_TEST_POSTGRES: `postgres://postgres@127.0.0.1:${cluster.port}/postgres` };
}

async function natsServer(): Promise<Offer> {
  return { ORRERY_TEST_NATS_SERVER: (await resolveBinary("nats-server")).path };
}

async function elasticsearch(bed: Bed): Promise<Offer> {
  const node: ElasticsearchNode = {
    folder: await resolveElasticsearch(),
    account: elasticsearchAccount(),
    home: join(bed.folder, "elasticsearch"),
    httpPort: await bed.ports.take(),
    transportPort: await bed.ports.take(),
    heapMiB: 512,
  };
  const door = await bed.ports.take();
  const server = await listenLazily(door, async () => {
    run(bed, {
      name: "elasticsearch",
      file: node.folder.java,
      args: elasticsearchArgs(node),
      env: elasticsearchEnvironment(node),
      cwd: node.folder.path,
      account: node.account,
      prepare: () => prepareElasticsearch(node),
    });
    const url = `http://127.0.0.1:${node.httpPort}`;
    await eventually(() => elasticsearchAnswers(url), { withinMs: 120_000, everyMs: 200 });
    return node.httpPort;
  });
  bed.scope.defer(() => server.close());
  return { ORRERY_TEST_ELASTICSEARCH: `http://127.0.0.1:${door}` };
}

/** Runs a server for as long as the bed stands; one that dies comes back, as on the platform. */
function run(bed: Bed, command: Pick<Command, "name" | "file" | "args"> & Partial<Command>): void {
  const server = new SupervisedProcess(
    {
      env: { PATH: process.env.PATH ?? "" },
      cwd: "/",
      log: new LogFile(join(bed.folder, `${command.name}.log`)),
      ...command,
    },
    {
      started: ({ name, pid }) => recordProcess(bed.folder, name, pid),
      died: ({ name, command: { log } }, how) =>
        process.stderr.write(`${name} of the test bed ended: ${how}\n${log.lastLines(10).join("\n")}\n`),
    },
  );
  bed.scope.defer(() => server.stop());
  server.start();
}
