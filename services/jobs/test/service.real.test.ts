import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ValueSchema } from "@bufbuild/protobuf/wkt";
import { type Client, createClient } from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { Job_Status } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { DEFAULT_TRUST_DOMAIN } from "@orrery/mesh/config/service-config";
import { faultFrom } from "@orrery/mesh/fault/wire";
import { eventually } from "@orrery/mesh/testing/eventually";
import { freePort } from "@orrery/mesh/testing/free-port";
import { type TestDatabase, testDatabase } from "@orrery/mesh/testing/test-database";
import { type TestNats, testNats } from "@orrery/mesh/testing/test-nats";
import { callHeaders } from "@orrery/mesh/transport/call";
import { createGrpcTransport, type GrpcTransport } from "@orrery/mesh/transport/grpc-client";

// The process as it is deployed behind a mesh's proxy, which alone stands between it and its callers:
// identities come in a header, connections are plain.
const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));
const MIGRATIONS = fileURLToPath(new URL("../migrations", import.meta.url));
const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** What a client of gRPC takes unless it says otherwise. */
const MESSAGE_BYTES = 4 * 1024 * 1024;

let database: TestDatabase;
let nats: TestNats;
let service: ChildProcess;
let transport: GrpcTransport;
let jobs: Client<typeof JobsService>;
let work: Client<typeof WorkService>;

beforeAll(async () => {
  database = await testDatabase({ migrations: MIGRATIONS, name: "jobs", roles: ["jobs"] });
  nats = await testNats();
  const [grpcPort, adminPort] = [await freePort(), await freePort()];
  service = start(grpcPort, adminPort);
  transport = createGrpcTransport({
    workload: "jobs",
    addresses: [{ host: "127.0.0.1", port: grpcPort }],
    identity: undefined,
    breaker: { volumeThreshold: 1_000 },
    maxMessageBytes: MESSAGE_BYTES,
  });
  jobs = createClient(JobsService, transport);
  work = createClient(WorkService, transport);
  await eventually(() => jobs.submitJob({ task: "probe" }, as("demo")), { withinMs: 20_000, everyMs: 100 });
});

afterAll(async () => {
  await transport.close();
  if (service.exitCode === null) {
    const ended = once(service, "exit");
    service.kill("SIGKILL");
    await ended;
  }
  await nats[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

function start(grpcPort: number, adminPort: number): ChildProcess {
  return spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ORRERY_SERVICE: "jobs",
      ORRERY_INSTANCE: "jobs-0",
      ORRERY_GRPC_ADDRESS: `127.0.0.1:${grpcPort}`,
      ORRERY_ADMIN_ADDRESS: `127.0.0.1:${adminPort}`,
      ORRERY_IDENTITY_SOURCE: "linkerd",
      ORRERY_LOG_LEVEL: "error",
      ORRERY_DATABASE_HOST: database.host,
      ORRERY_DATABASE_PORT: String(database.port),
      ORRERY_DATABASE_NAME: database.database,
      ORRERY_NATS_URL: nats.url,
    },
  });
}

/** The headers of a call by the gateway on behalf of somebody; or by another workload for itself. */
function as(project: string | undefined, caller = "gateway") {
  const onBehalf = project === undefined ? undefined : { project, principal: "ann", scopes: ["submit"] };
  const context = callHeaders({ onBehalf, correlationId: "c-1", traceparent: TRACEPARENT });
  return { headers: { ...context, "l5d-client-id": `${caller}.${DEFAULT_TRUST_DOMAIN}` } };
}

/** What a worker says that asks for so many jobs of a task, until it is over. */
async function* asking(task: string, slots: number, over: AbortSignal) {
  const register = { worker: "asking", tasks: [task], queues: [], slots };
  yield { sequence: 1, message: { case: "register" as const, value: register } };
  yield { sequence: 2, message: { case: "credit" as const, value: { jobs: slots } } };
  await once(over, "abort");
}

describe("the service as a whole", () => {
  test("takes a job from its submission to its end, and every step to the stream in order", async () => {
    const { job } = await jobs.submitJob({ task: "whole" }, as("demo"));
    const id = job?.id ?? "";
    const { leases } = await work.leaseJobs({ tasks: ["whole"], worker: "w", waitSeconds: 5 }, as("demo"));
    expect(leases).toMatchObject([{ jobId: id, leaseEpoch: 1, correlationId: "c-1" }]);
    const { outcomes } = await work.completeAttempts({ results: [{ jobId: id, leaseEpoch: 1 }] }, as("demo"));
    expect(outcomes).toMatchObject([{ ok: true }]);
    expect((await jobs.getJob({ id }, as("demo"))).job?.status).toBe(Job_Status.SUCCEEDED);
    await eventually(async () => {
      const stream = await (await nats.connect()).jetstreamManager();
      const found: string[] = [];
      const { state } = await stream.streams.info("ORRERY_JOBS");
      for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
        const { header, subject } = await stream.streams.getMessage("ORRERY_JOBS", { seq });
        if (header.get("Nats-Msg-Id").startsWith(id))
          found.push(`${subject.split(".")[4]} ${header.get("Nats-Msg-Id")}`);
      }
      expect(found).toEqual([`JobQueued ${id}:1`, `JobStarted ${id}:2`, `JobSucceeded ${id}:3`]);
    });
  });

  test("refuses callers off the RPC's list, and a project's name from those who may not give one", async () => {
    const refused = (call: Promise<unknown>) => call.catch((failure: unknown) => faultFrom(failure).reason);
    await expect(refused(jobs.submitJob({ task: "t" }, as(undefined)))).resolves.toBe("CALLER_NOT_ALLOWED");
    await expect(refused(jobs.submitJob({ task: "t" }, as("demo", "worker")))).resolves.toBe(
      "CALLER_NOT_ALLOWED",
    );
    await expect(refused(jobs.getJob({ id: "x" }, as("demo", "observatory")))).resolves.toBe(
      "CALLER_NOT_ALLOWED",
    );
  });

  test.each([
    ["submitJob", { task: "" }, ["task"]],
    ["submitJob", { task: "t", priority: 10, maxAttempts: 0 }, ["priority", "maxAttempts"]],
    ["submitJob", { task: "t", labels: { Bad: "x" } }, ['labels["Bad"]']],
    ["submitJob", { task: "t", idempotencyKey: "with space" }, ["idempotencyKey"]],
    ["submitJob", { task: "t", timeout: { nanos: 99_999_999 } }, ["timeout"]],
    ["submitJob", { task: "t", runTime: { seconds: 1n }, delay: { seconds: 1n } }, ["delay"]],
    ["getJob", { id: "no-uuid" }, ["id"]],
    ["cancelJob", { id: "01a1fd6c-2a40-7000-8000-00000000000b", reason: "x".repeat(1_025) }, ["reason"]],
    ["batchSubmitJobs", { jobs: [] }, ["jobs"]],
  ] as const)("%s with %j is refused by the names of its fields", async (rpc, request, fields) => {
    const call = jobs[rpc] as (request: object, options: object) => Promise<unknown>;
    const fault = await call(request, as("demo")).catch(faultFrom);
    expect(fault).toMatchObject({ reason: "INVALID_REQUEST" });
    expect((fault as ReturnType<typeof faultFrom>).fieldViolations.map(({ field }) => field)).toEqual(fields);
  });

  test("admits a watch that goes on where its job stands before anything happens, and none at its end", async () => {
    const { job } = await jobs.submitJob({ task: "watched" }, as("demo"));
    const id = job?.id ?? "";
    const { watchJob } = JobsService.method;
    const admitted = async (lastEventId: string): Promise<boolean> => {
      const over = new AbortController();
      const asked = createAsyncIterable([{ id, lastEventId }]);
      const { headers } = as("demo");
      const { header } = await transport.stream(watchJob, over.signal, undefined, headers, asked);
      over.abort();
      return [...header.keys()].length > 0;
    };
    expect(await admitted("1")).toBe(true);
    await jobs.cancelJob({ id }, as("demo"));
    expect(await admitted("2")).toBe(false);
  });

  test("leases for every project to the platform's worker, over its stream", async () => {
    const { job } = await jobs.submitJob({ task: "orrery.echo" }, as("second"));
    const over = new AbortController();
    const said = asking("orrery.echo", 1, over.signal);
    for await (const { message } of work.work(said, as(undefined, "worker"))) {
      if (message.case !== "leases") continue;
      expect(message.value.leases).toMatchObject([{ jobId: job?.id, project: "second" }]);
      break;
    }
    over.abort();
  });

  test("answers a lease with what can be sent, however much its inputs grow on the way", async () => {
    const one = { kind: { case: "numberValue" as const, value: 1 } };
    const values: MessageInitShape<typeof ValueSchema>[] = Array.from({ length: 98_303 }, () => one);
    const input = { kind: { case: "listValue" as const, value: { values } } };
    for (let job = 0; job < 5; job += 1) await jobs.submitJob({ task: "grows", input }, as("demo"));
    const take = async () =>
      (await work.leaseJobs({ tasks: ["grows"], worker: "w", max: 100 }, as("demo"))).leases.length;
    expect([await take(), await take(), await take(), await take()]).toEqual([2, 2, 1, 0]);
  });

  test("sends leases over a stream in messages that can be sent, however long the labels are", async () => {
    const labels = Object.fromEntries(
      Array.from({ length: 32 }, (_, index) => [`l${index}`.padEnd(63, "x"), "😀".repeat(256)]),
    );
    const some = Array.from({ length: 100 }, () => ({ task: "labelled", labels }));
    for (let batch = 0; batch < 4; batch += 1) await jobs.batchSubmitJobs({ jobs: some }, as("demo"));
    const over = new AbortController();
    const said = asking("labelled", 500, over.signal);
    const granted: number[] = [];
    for await (const { message } of work.work(said, as("demo"))) {
      if (message.case !== "leases") continue;
      granted.push(...message.value.leases.map(({ attempt }) => attempt));
      if (granted.length === 400) break;
    }
    over.abort();
    expect(granted).toEqual(Array.from({ length: 400 }, () => 1));
  });

  test("reads no more of a worker that does not hear its answers", async () => {
    const over = new AbortController();
    const leases = [{ jobId: "x".repeat(60_000), leaseEpoch: 1 }];
    let said = 0;
    const flood = async function* () {
      const register = { worker: "f", tasks: ["flood"], queues: [], slots: 1 };
      yield { sequence: 1, message: { case: "register" as const, value: register } };
      for (; said < 2_000; said += 1)
        yield { sequence: said, message: { case: "heartbeat" as const, value: { worker: "f", leases } } };
      await once(over.signal, "abort");
    };
    const { signal } = over;
    const answers = work.work(flood(), { ...as("demo"), signal })[Symbol.asyncIterator]();
    await answers.next();
    let before = -1;
    await eventually(
      () => {
        const soFar = before;
        before = said;
        expect(said).toBe(soFar);
      },
      { withinMs: 20_000, everyMs: 500 },
    );
    expect(said).toBeGreaterThan(100);
    expect(said).toBeLessThan(1_000);
    over.abort();
    await answers.next().catch(() => undefined);
  });

  test("tells open streams to drain when it stops, and stops with exit code 0", async () => {
    const heard: (string | undefined)[] = [];
    const over = new AbortController();
    const said = async function* () {
      const register = { worker: "d", tasks: ["drain"], queues: [], slots: 1 };
      yield { sequence: 1, message: { case: "register" as const, value: register } };
      await once(over.signal, "abort");
    };
    const listening = (async () => {
      for await (const { message } of work.work(said(), as("demo"))) {
        heard.push(message.case);
        if (message.case === "registered") service.kill("SIGTERM");
        if (message.case === "drain") over.abort();
      }
    })().catch((failure: unknown) => faultFrom(failure).reason);
    const [code] = (await once(service, "exit")) as [number | null];
    await listening;
    expect(heard).toEqual(["registered", "drain"]);
    expect(code).toBe(0);
  });
});
