import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@connectrpc/connect";
import { QueuesService } from "@orrery/contracts/gen/orrery/jobs/v1/queues_service_pb.js";
import { ObservatoryService } from "@orrery/contracts/gen/orrery/observatory/v1/observatory_service_pb.js";
import type { Address } from "@orrery/mesh/config/read-config";
import { createHealth } from "@orrery/mesh/health/health";
import { bundleOf, createAuthority, issueLeaf } from "@orrery/mesh/identity/dev-ca";
import { type IdentityFiles, loadIdentity } from "@orrery/mesh/identity/identity-files";
import { createPublisher } from "@orrery/mesh/messaging/publisher";
import { ensureStreams, eventStreamName } from "@orrery/mesh/messaging/streams";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { createMetrics } from "@orrery/mesh/telemetry/metrics";
import { testNats } from "@orrery/mesh/testing/test-nats";
import { systemClock } from "@orrery/mesh/time/clock";
import { createGrpcTransport } from "@orrery/mesh/transport/grpc-client";
import { listenGrpc } from "@orrery/mesh/transport/grpc-server";
import { serve } from "@orrery/mesh/transport/route";
import { JOB_STREAM } from "../src/adapters/events/event-streams.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const logger = createLogger({ service: "jobs", instance: "jobs-0", level: "error" });

/** One whole observatory as a process, with a broker and a jobs service that really speak their protocols. */
export interface TestService extends AsyncDisposable {
  /** Calls it as the gateway does. */
  readonly client: Client<typeof ObservatoryService>;
  /** Publishes events to the streams of their contexts. */
  publish(...events: readonly string[]): Promise<void>;
  /** Ends the process with SIGKILL and starts another on the same read model. */
  killAndStart(): Promise<void>;
  /** The status of its page `/readyz`. */
  readiness(): Promise<number>;
  /** Takes the broker away. */
  stopBroker(): Promise<void>;
  /** Takes the jobs service away. */
  stopJobs(): Promise<void>;
}

/**
 * @param queues - what the jobs service knows of queues
 * @param settings - further settings of the process, such as another read model
 */
export async function startService(
  queues: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<TestService> {
  await using scope = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "orrery-observatory-"));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  const identities = await issueIdentities(folder, ["observatory", "jobs", "gateway"]);
  const nats = scope.use(await testNats());
  const connection = await nats.connect();
  // The other two are made by the first event of their own, as on a platform that is only just coming up.
  await ensureStreams(connection, [JOB_STREAM]);
  const publisher = createPublisher(connection);
  const jobs = await listenJobs(await identities.load("jobs"), queues);
  scope.defer(() => jobs.drain(0));

  const start = () =>
    startProcess({
      ORRERY_SERVICE: "observatory",
      ORRERY_INSTANCE: "observatory-0",
      ORRERY_GRPC_ADDRESS: "127.0.0.1:0",
      ORRERY_ADMIN_ADDRESS: "127.0.0.1:0",
      ORRERY_IDENTITY_FILE: identities.fileOf("observatory"),
      ORRERY_CA_FILE: identities.caFile,
      ORRERY_NATS_URL: nats.url,
      ORRERY_PEER_JOBS: `127.0.0.1:${jobs.address.port}`,
      ORRERY_READ_MODEL_DIR: join(folder, "read-model"),
      ...settings,
    });
  let running = await start();
  scope.defer(() => running.stop("SIGTERM"));
  const identity = await identities.load("gateway");
  const connect = (address: Address) =>
    createGrpcTransport({ workload: "observatory", addresses: [address], identity });
  let transport = connect(running.address);
  scope.defer(() => transport.close());

  const release = scope.move();
  let published = 0;
  return {
    get client() {
      return createClient(ObservatoryService, transport);
    },
    async publish(...events) {
      const messages = events.map((data) => {
        const subject = `${(JSON.parse(data) as { eventType: string }).eventType}.${published % 16}`;
        return { subject, msgId: `m-${published++}`, headers: {}, data };
      });
      await ensureStreams(connection, [...new Set(messages.map(({ subject }) => streamOf(subject)))]);
      await publisher.publishAll(messages, { ackTimeoutMs: 5_000 });
    },
    async killAndStart() {
      await running.stop("SIGKILL");
      running = await start();
      await transport.close();
      transport = connect(running.address);
    },
    readiness: () => statusOf(`https://${running.admin}/readyz`),
    stopBroker: () => nats.stop(),
    stopJobs: () => jobs.drain(0),
    [Symbol.asyncDispose]: () => release.disposeAsync(),
  };
}

function streamOf(subject: string): string {
  return eventStreamName(subject.split(".")[3] ?? "");
}

async function issueIdentities(folder: string, workloads: readonly string[]) {
  const authority = await createAuthority({ clock: systemClock });
  const caFile = join(folder, "ca.pem");
  await writeFile(caFile, authority.certPem);
  const fileOf = (workload: string) => join(folder, `${workload}.pem`);
  for (const workload of workloads) {
    const lifetime = { clock: systemClock, lifetimeMs: 3_600_000 };
    const leaf = await issueLeaf(authority, { commonName: workload, workload }, lifetime);
    await writeFile(fileOf(workload), bundleOf(leaf), { mode: 0o600 });
  }
  const load = (workload: string): Promise<IdentityFiles> =>
    loadIdentity({ identityFile: fileOf(workload), caFile, logger });
  return { caFile, fileOf, load };
}

async function listenJobs(identity: IdentityFiles, names: readonly string[]) {
  const absent = () => Promise.reject(new Error("this peer lists queues and nothing else"));
  const queues = serve(QueuesService, {
    listQueues: () => Promise.resolve({ queues: names.map((name) => ({ name, oldestWaitSeconds: 3 })) }),
    getQueue: absent,
    updateQueue: absent,
    pauseQueue: absent,
    resumeQueue: absent,
  });
  const health = createHealth({ logger });
  health.started();
  return listenGrpc({
    address: { host: "127.0.0.1", port: 0 },
    routes: [queues],
    identitySource: "tls",
    identity,
    health,
    reflection: false,
    logger,
    metrics: createMetrics({ service: "jobs", defaults: false }),
  });
}

async function startProcess(settings: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [MAIN], { env: settings, stdio: ["ignore", "pipe", "inherit"] });
  const { grpc, admin } = await servingAt(child);
  const [host = "", port = ""] = grpc.split(":");
  return {
    address: { host, port: Number(port) },
    admin,
    async stop(signal: "SIGTERM" | "SIGKILL") {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    },
  };
}

/** The addresses that the process says it serves at. */
async function servingAt(child: ChildProcess): Promise<{ readonly grpc: string; readonly admin: string }> {
  if (child.stdout === null) throw new Error("the process has no output");
  const lines = createInterface({ input: child.stdout });
  const said: string[] = [];
  for await (const line of lines) {
    said.push(line);
    const entry = JSON.parse(line) as { message?: string; grpc?: string; admin?: string };
    const { message, grpc, admin } = entry;
    if (message === "serving" && grpc !== undefined && admin !== undefined) {
      child.stdout.resume();
      return { grpc, admin };
    }
  }
  throw new Error(`the service ended before it served:\n${said.join("\n")}`);
}

async function statusOf(url: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  get(url, { agent: false, rejectUnauthorized: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  }).on("error", reject);
  return promise;
}
