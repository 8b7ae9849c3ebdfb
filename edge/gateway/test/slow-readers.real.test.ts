import { once } from "node:events";
import http2 from "node:http2";
import { connect, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { create, toBinary } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { GetJobRequestSchema, JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { eventually } from "@orrery/mesh/testing/eventually";
import { LIMITS } from "../src/http/limits.ts";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, KEYS, startTestBed, type TestBed } from "./gateway-factory.ts";

// Clients that ask for large answers and never read them: what waits for them stays within its limits.

const LARGE = "x".repeat(8 * 1024 * 1024);
const MOST = LIMITS.unsentBytesOfProject / LARGE.length;
const ID = "0198b2a4-7c3e-7d0a-9b1c-2f3a4b5c6d7e";
const PATH = `/v1/jobs/${ID}`;
const RPC = "/orrery.jobs.v1.JobsService/GetJob";

const CALLED = { headers: auth() };

let bed: TestBed;
let fake: FakeJobs;
let answered = 0;
const slow: Socket[] = [];

beforeEach(async () => {
  fake = new FakeJobs();
  bed = await startTestBed({
    jobs: {
      ...fake.implementation,
      getJob: ({ id }) => {
        answered += 1;
        return Promise.resolve({ job: { id, correlationId: LARGE } });
      },
      async *watchJob(_request, { signal }) {
        yield { id: "1", event: "snapshot", data: { correlationId: LARGE } };
        await once(signal, "abort");
      },
    },
    work: {
      heartbeatAttempts: () => Promise.resolve({}),
      leaseJobs: (_request, call) => {
        fake.calls.push(call);
        return Promise.resolve({});
      },
      async *work(requests) {
        for await (const { sequence } of requests) yield { sequence };
      },
    },
  });
});
afterEach(async () => {
  for (const socket of slow.splice(0)) socket.destroy();
  await bed[Symbol.asyncDispose]();
});

const read = (key: string) => fetch(bed.url + PATH, { headers: { authorization: `Bearer ${key}` } });

/** Sends a request and reads no more of the answer than tells its status; NaN where the connection was cut. */
async function ask(key: string, request: string): Promise<number> {
  const socket = connect(bed.gateway.http.port, "127.0.0.1");
  slow.push(socket);
  socket.on("error", () => undefined);
  const body = request.startsWith("POST") ? JSON.stringify({ id: ID }) : "";
  socket.write(`${request} HTTP/1.1\r\nhost: edge\r\nauthorization: Bearer ${key}\r\n`);
  socket.write(`content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  await once(socket, "readable");
  return Number(String(socket.read(12)).split(" ")[1] ?? Number.NaN);
}

/** Asks until the project of the key is at its share. */
async function fillShare(): Promise<void> {
  while ((await ask(KEYS.all, `GET ${PATH}`)) === 200);
}

const transportTo = {
  gRPC: () =>
    createGrpcTransport({
      baseUrl: `https://localhost:${bed.gateway.edgeGrpc.port}`,
      nodeOptions: { ca: bed.caPem },
    }),
  Connect: () => createConnectTransport({ baseUrl: bed.url, httpVersion: "1.1" }),
  "gRPC-Web": () => createGrpcWebTransport({ baseUrl: bed.url, httpVersion: "1.1" }),
};

test.each([
  { form: "reads", request: `GET ${PATH}` },
  { form: "streams that say no more", request: `GET ${PATH}:watch` },
  { form: "Connect calls", request: `POST ${RPC}` },
])("a project has its share of what waits of $form", async ({ request }) => {
  for (let asked = 0; asked < MOST; asked += 1) expect(await ask(KEYS.all, request)).toBe(200);
  await eventually(async () => expect(await ask(KEYS.all, request)).toBe(429));
});

test("a project has its share of what waits of gRPC calls", async () => {
  const bytes = toBinary(GetJobRequestSchema, create(GetJobRequestSchema, { id: ID }));
  // One connection takes 32 MiB at most.
  const clients = Array.from({ length: MOST }, () =>
    http2.connect(`https://127.0.0.1:${bed.gateway.edgeGrpc.port}`, { ca: bed.caPem, servername: "" }),
  );
  for (const client of clients) {
    const call = client.request({
      ":method": "POST",
      ":path": RPC,
      ...auth("other"),
      "content-type": "application/grpc",
      te: "trailers",
    });
    call.on("error", () => undefined).end(Buffer.concat([Buffer.of(0, 0, 0, 0, bytes.length), bytes]));
    await once(call, "readable");
  }
  await eventually(async () => expect((await read(KEYS.other)).status).toBe(429));
  for (const client of clients) client.destroy();
  await eventually(async () => expect((await read(KEYS.other)).status).toBe(200));
});

test.each([`GET ${PATH}`, `POST ${RPC}`])(
  "the share holds where many ask for %s at once",
  async (request) => {
    const statuses = await Promise.all(Array.from({ length: 2 * MOST }, () => ask(KEYS.all, request)));
    const taken = statuses.filter((status) => status === 200).length;
    expect([taken > 0, taken <= MOST]).toEqual([true, true]);
  },
);

test("who does not read is refused with the reason; others are served, and so is what a worker says", async () => {
  await fillShare();
  const before = answered;
  const refused = await read(KEYS.all);
  expect(refused.headers.get("retry-after")).toBe("5");
  const detail = expect.stringMatching(/do not read their answers/);
  expect(await refused.json()).toMatchObject({ status: 429, reason: "RATE_LIMITED", detail });
  expect(answered).toBe(before);
  const other = (await (await read(KEYS.second)).json()) as { correlationId: string };
  expect(other.correlationId).toHaveLength(LARGE.length);
  const heartbeat = await fetch(`${bed.url}/v1/work:heartbeat`, {
    method: "POST",
    headers: { ...CALLED.headers, "content-type": "application/json" },
    body: JSON.stringify({ worker: "w", leases: [] }),
  });
  expect(heartbeat.status).toBe(200);
});

test.each(Object.entries(transportTo))(
  "over %s a project at its share submits and heartbeats, and hears of it",
  async (_protocol, transport) => {
    await fillShare();
    const { job } = await createClient(JobsService, transport()).submitJob({ task: "t" }, CALLED);
    expect(job?.task).toBe("t");
    await createClient(WorkService, transport()).heartbeatAttempts({ worker: "w", leases: [] }, CALLED);
  },
);

test("a worker's open stream goes on where its project is at its share", async () => {
  const said = new PassThrough({ objectMode: true });
  const worker = createClient(WorkService, transportTo.gRPC());
  const heard = worker.work(said, CALLED)[Symbol.asyncIterator]();
  said.write({ sequence: 1 });
  expect((await heard.next()).value).toMatchObject({ sequence: 1 });
  await fillShare();
  said.write({ sequence: 2 });
  expect((await heard.next()).value).toMatchObject({ sequence: 2 });
  said.end();
  expect((await heard.next()).done).toBe(true);
});

test.each([
  { path: "/v1/jobs:batchSubmit", body: { jobs: [{ task: "t" }] } },
  { path: "/v1/work:lease", body: { worker: "w", tasks: ["t"] } },
])("$path answers large, and is refused before it is carried out", async ({ path, body }) => {
  await fillShare();
  const refused = await fetch(bed.url + path, {
    method: "POST",
    headers: { ...CALLED.headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect([refused.status, await refused.json()]).toEqual([
    429,
    expect.objectContaining({ reason: "RATE_LIMITED" }),
  ]);
  expect(fake.calls).toEqual([]);
});

test("a submission that waits for its job in vain asks no more often than it is told, and logs it once", async () => {
  await fillShare();
  const submitted = await fetch(`${bed.url}/v1/jobs`, {
    method: "POST",
    headers: { ...CALLED.headers, "content-type": "application/json", prefer: "wait=1" },
    body: JSON.stringify({ task: "waits" }),
  });
  expect(submitted.status).toBe(202);
  expect(bed.lines.filter(({ message }) => message === "waiting for a job was cut short")).toHaveLength(1);
});
