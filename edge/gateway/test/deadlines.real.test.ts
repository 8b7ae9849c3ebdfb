import http2 from "node:http2";
import { create, toBinary } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, test } from "@jest/globals";
import {
  GetJobRequestSchema,
  SubmitJobRequestSchema,
  WatchJobRequestSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { eventually } from "@orrery/mesh/testing/eventually";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, sharedTestBed } from "./gateway-factory.ts";

// Deadlines as the edge itself keeps them: a client of a library ends its calls by its own clock, whatever it is told.

const jobs = new FakeJobs();
const bed = sharedTestBed({ jobs: jobs.implementation });
beforeEach(() => {
  jobs.batches.length = 0;
  jobs.calls.length = 0;
  bed().lines.length = 0;
});

const pathTo = (rpc: string) => `/orrery.jobs.v1.JobsService/${rpc}`;
const framed = (bytes: Uint8Array) => Buffer.concat([Buffer.of(0, 0, 0, 0, bytes.length), bytes]);

async function overGrpc(rpc: string, bytes: Uint8Array, timeoutMs: number): Promise<string> {
  const client = http2.connect(`https://127.0.0.1:${bed().gateway.edgeGrpc.port}`, {
    ...{ ca: bed().caPem, servername: "" },
  });
  try {
    const call = client.request({
      ...{ ":method": "POST", ":path": pathTo(rpc), ...auth(), te: "trailers" },
      ...{ "content-type": "application/grpc", "grpc-timeout": `${timeoutMs}m` },
    });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const hear = (headers: http2.IncomingHttpHeaders) => {
      if (headers["grpc-status"] !== undefined) resolve(`grpc-status: ${String(headers["grpc-status"])}`);
    };
    call.on("response", hear).on("trailers", hear).on("error", reject);
    call.resume().end(framed(bytes));
    return await promise;
  } finally {
    client.destroy();
  }
}

async function overHttp(rpc: string, body: Uint8Array, headers: Record<string, string>): Promise<string> {
  const answer = await fetch(bed().url + pathTo(rpc), {
    ...{ method: "POST", body, headers: { ...headers, ...auth() } },
  });
  return answer.text();
}

const LATE = { reason: "DEADLINE_EXCEEDED", principal: "all" };
const getJob = (id: string) => toBinary(GetJobRequestSchema, create(GetJobRequestSchema, { id }));
const submitJob = (task: string) =>
  toBinary(SubmitJobRequestSchema, create(SubmitJobRequestSchema, { task }));

async function submitted(task: string): Promise<string> {
  const headers = { ...auth(), "content-type": "application/json" };
  const answer = await fetch(`${bed().url}/v1/jobs`, {
    method: "POST",
    headers,
    body: JSON.stringify({ task }),
  });
  return ((await answer.json()) as { id: string }).id;
}

type Ask = (rpc: string, bytes: Uint8Array, timeoutMs: number) => Promise<string>;

describe.each<{ protocol: string; ask: Ask; late: string }>([
  { protocol: "gRPC", ask: overGrpc, late: "grpc-status: 4" },
  {
    protocol: "Connect",
    ask: (rpc, bytes, ms) =>
      overHttp(rpc, bytes, { "content-type": "application/proto", "connect-timeout-ms": String(ms) }),
    late: '"code":"deadline_exceeded"',
  },
  {
    protocol: "gRPC-Web",
    ask: (rpc, bytes, ms) =>
      overHttp(rpc, framed(bytes), {
        ...{ "content-type": "application/grpc-web+proto", "grpc-timeout": `${ms}m` },
      }),
    late: "grpc-status: 4",
  },
])("over $protocol", ({ ask, late }) => {
  test("a call with no time left reaches no service", async () => {
    const job = getJob(await submitted("t"));
    expect(await ask("GetJob", job, 0)).toContain(late);
    // The service answers in the order in which it was asked.
    expect(await ask("GetJob", job, 10_000)).not.toContain(late);
    expect(jobs.calls.length).toBe(1);
  });

  test("a call is ended inside when its time is over, and recorded as what it was", async () => {
    const job = await submitted("hangs");
    expect(await ask("GetJob", getJob(job), 200)).toContain(late);
    await eventually(() => expect(jobs.calls[0]?.signal.aborted).toBe(true));
    await eventually(() => expect(bed().lines).toContainEqual(expect.objectContaining(LATE)));
  });

  test("a submission with too little time left is not sent, and is told why", async () => {
    expect(await ask("SubmitJob", submitJob("t"), 40)).toContain(late);
    expect(jobs.batches).toHaveLength(0);
  });
});

test("deadlines of hasty clients of streams keep nobody else from the service", async () => {
  const watch = toBinary(
    WatchJobRequestSchema,
    create(WatchJobRequestSchema, { id: await submitted("hangs") }),
  );
  const hasty = Array.from({ length: 40 }, () => overGrpc("WatchJob", watch, 1_100));
  for (const status of await Promise.all(hasty)) expect(status).toBe("grpc-status: 4");
  const job = getJob(await submitted("t"));
  expect(await overGrpc("GetJob", job, 10_000)).toBe("grpc-status: 0");
});
