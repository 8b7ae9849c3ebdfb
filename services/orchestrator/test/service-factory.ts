import { fileURLToPath } from "node:url";
import { type JsonObject, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { type Job, Job_Status, JobSchema } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { type Mission, Mission_Status } from "@orrery/contracts/gen/orrery/orchestrator/v1/mission_pb.js";
import {
  type CreateMissionRequestSchema,
  MissionsService,
} from "@orrery/contracts/gen/orrery/orchestrator/v1/missions_service_pb.js";
import { createPublisher } from "@orrery/mesh/messaging/publisher";
import { ensureStreams, eventStreamName } from "@orrery/mesh/messaging/streams";
import { startRelay } from "@orrery/mesh/outbox/relay";
import type { Pool } from "@orrery/mesh/postgres/pool";
import { createMetrics, type Metrics } from "@orrery/mesh/telemetry/metrics";
import { eventually } from "@orrery/mesh/testing/eventually";
import { quietLogger } from "@orrery/mesh/testing/quiet-logger";
import { testDatabase } from "@orrery/mesh/testing/test-database";
import { type TestNats, testNats } from "@orrery/mesh/testing/test-nats";
import { serveAs, testIdentities } from "@orrery/mesh/testing/test-service";
import { systemChance, systemClock } from "@orrery/mesh/time/clock";
import { callHeaders } from "@orrery/mesh/transport/call";
import { createGrpcTransport } from "@orrery/mesh/transport/grpc-client";
import { consumeJobEnds } from "../src/adapters/events/job-ends.ts";
import { jobsPeer } from "../src/adapters/rpc/jobs-peer.ts";
import { createEngine } from "../src/engine.ts";
import { FakeJobs } from "./fake-jobs.ts";

const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const WITHIN = { withinMs: 10_000, everyMs: 20 };

/** The headers of a call on behalf of somebody. */
export const as = (project = "demo", principal = "ann") => {
  const onBehalf = { project, principal, scopes: ["read", "submit", "admin"] };
  return { headers: callHeaders({ onBehalf, correlationId: "c-1", traceparent: TRACEPARENT }) };
};

type EndOf = Parameters<FakeJobs["end"]> extends [Job, ...infer Rest] ? Rest : never;

/** An orchestrator between a database, a broker and a jobs service that really speak their protocols. */
export interface World extends AsyncDisposable {
  readonly jobs: FakeJobs;
  readonly nats: TestNats;
  readonly metrics: Metrics;
  /** Calls it as the gateway does. */
  readonly client: Client<typeof MissionsService>;
  /** Calls it as another workload. */
  clientOf(workload: string): Promise<Client<typeof MissionsService>>;
  /** Launches a mission of principal ann in project demo. @returns its id */
  launch(request: MessageInitShape<typeof CreateMissionRequestSchema>): Promise<string>;
  /** Reads a mission until it has a status. */
  reaches(id: string, status: keyof typeof Mission_Status): Promise<Mission>;
  /** Waits for the newest job of a task. */
  comes(task: string): Promise<Job>;
  /** Waits for the newest job of a task, ends it, and publishes that as the jobs service does. */
  ends(task: string, ...how: EndOf): Promise<Job>;
  /** Publishes how a job stands; `mute` leaves its output out, as where it is too large for an event. */
  tell(job: Job, how?: { readonly mute?: boolean }): Promise<void>;
  /** Connections to its database as another role; the superuser unless said. */
  pool(role?: string): Pool;
  /** Lets the time pass after which silent jobs are asked about. */
  timePasses(): Promise<void>;
  stopJobs(): Promise<void>;
  startJobs(): Promise<void>;
}

/** Starts one for a test file, and stops it with the test. */
export async function startWorld(): Promise<World> {
  await using scope = new AsyncDisposableStack();
  const identities = scope.use(await testIdentities(["orchestrator", "jobs", "gateway", "worker"]));
  const database = scope.use(
    await testDatabase({ migrations: MIGRATIONS, name: "orchestrator", roles: ["orchestrator", "jobs"] }),
  );
  const nats = scope.use(await testNats());
  const connection = await nats.connect();
  await ensureStreams(connection, [eventStreamName("jobs")]);
  const publisher = createPublisher(connection);
  const jobs = new FakeJobs();
  const serveJobs = async (port?: number) =>
    serveAs(await identities.load("jobs"), "jobs", [jobs.route], port);
  let jobsServer = await serveJobs();
  const { port } = jobsServer.address;
  scope.defer(() => jobsServer.drain(0));

  const stop = new AbortController();
  const metrics = createMetrics({ service: "orchestrator", defaults: false });
  const parts = {
    clock: systemClock,
    chance: systemChance,
    logger: quietLogger,
    metrics,
    signal: stop.signal,
  };
  const instance = "orchestrator-0";
  const relay = startRelay({
    ...parts,
    instance,
    service: "orchestrator",
    publisher,
    pool: database.openPool(3),
  });
  const transportOf = async (workload: string, to: string, toPort: number) => {
    const identity = await identities.load(workload);
    const addresses = [{ host: "127.0.0.1", port: toPort }];
    const breaker = { volumeThreshold: 1_000 };
    return scopeOf.adopt(createGrpcTransport({ workload: to, addresses, identity, breaker }), (open) =>
      open.close(),
    );
  };
  const scopeOf = scope.use(new AsyncDisposableStack());
  const engine = createEngine({
    ...parts,
    instance,
    version: "0.1.0",
    pool: database.openPool(8, { role: "orchestrator" }),
    peer: jobsPeer(createClient(JobsService, await transportOf("orchestrator", "jobs", port)), quietLogger),
    onCommit: () => relay.wake(),
  });
  const { takeIn, ask } = engine;
  const consumer = consumeJobEnds({
    ...parts,
    connecting: Promise.resolve(connection),
    publisher,
    takeIn,
    ask,
  });
  const server = await serveAs(await identities.load("orchestrator"), "orchestrator", engine.routes);
  scope.defer(async () => {
    await server.drain(0);
    stop.abort();
    await Promise.all([engine.ended, consumer.stop(), relay.stop()]);
  });

  const clientOf = async (workload: string) =>
    createClient(MissionsService, await transportOf(workload, "orchestrator", server.address.port));
  const client = await clientOf("gateway");
  const admin = database.openPool(2);
  const tell: World["tell"] = async (job, how) => {
    const name = `Job${Job_Status[job.status].charAt(0)}${Job_Status[job.status].slice(1).toLowerCase()}`;
    const message = {
      subject: `orrery.events.v1.jobs.${name}.${Number.parseInt(job.id.slice(-1), 16)}`,
      msgId: `${job.id}:${job.version}`,
      headers: {},
      data: JSON.stringify(envelopeOf(job, jobs, how?.mute === true)),
    };
    await publisher.publishAll([message], { ackTimeoutMs: 5_000 });
  };
  const comes: World["comes"] = (task) => eventually(() => Promise.resolve(jobs.job(task)), WITHIN);
  const release = scope.move();
  return {
    jobs,
    nats,
    metrics,
    client,
    clientOf,
    comes,
    tell,
    launch: async (request) => (await client.createMission(request, as())).mission?.id ?? "",
    reaches: (id, status) =>
      eventually(async () => {
        const { mission } = await client.getMission({ id }, as());
        if (mission?.status === Mission_Status[status]) return mission;
        throw new Error(`the mission is ${Mission_Status[mission?.status ?? 0]}`);
      }, WITHIN),
    ends: async (task, ...how) => {
      const job = jobs.end(await comes(task), ...how);
      await tell(job);
      return job;
    },
    pool: (role) => (role === undefined ? admin : database.openPool(1, { role })),
    timePasses: async () => {
      const text = "update step_job set due_time = clock_timestamp() where open and errand is null";
      await admin.query({ name: "test.time_passes", text }, []);
    },
    stopJobs: () => jobsServer.drain(0),
    startJobs: async () => {
      jobsServer = await serveJobs(port);
    },
    [Symbol.asyncDispose]: () => release.disposeAsync(),
  };
}

/** The envelope that the jobs service publishes of a job, as far as a mission reads it. */
function envelopeOf(job: Job, jobs: FakeJobs, mute: boolean): JsonObject {
  const json = toJson(JobSchema, job, { alwaysEmitImplicit: true }) as JsonObject;
  if (mute) delete json.output;
  const last = jobs.attempts.get(job.id)?.at(-1);
  const error =
    last?.errorType === undefined ? {} : { error: { type: last.errorType, message: "", retryable: true } };
  const attempt =
    last === undefined ? {} : { attempt: { attempt: job.attempt, status: last.status, ...error } };
  return { contractVersion: "1.0.0", version: "1.0.0", payload: { job: json, ...attempt } };
}
