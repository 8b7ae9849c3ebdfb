/**
 * One server of `make bench ONLY=edge`, in a process of its own: every kind takes the same job at `POST /v1/jobs`, and
 * answers it as a Job, without anybody behind it. Started as `edge-server.ts <kind> <folder of fastify> <secret>`; says
 * `{ port }` when it listens, and `{ cpuMicros }` for every message that it gets.
 */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Transport, UnaryResponse } from "@connectrpc/connect";
import { type Job, Job_Status, JobSchema } from "@orrery/contracts/gen/orrery/jobs/v1/job_pb.js";
import {
  JobsService,
  type SubmitJobRequest,
  SubmitJobRequestSchema,
  SubmitJobResponseSchema,
  type SubmitJobsRequest,
  SubmitJobsResponseSchema,
} from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { createTranscoder } from "@orrery/transcoder";
import { parseKeyFile } from "../../../edge/gateway/src/auth/key-file.ts";
import { REGISTRY } from "../../../edge/gateway/src/registry.ts";
import { createLogger } from "../../chassis/src/telemetry/logger.ts";
import { createMetrics } from "../../chassis/src/telemetry/metrics.ts";
import { systemClock, uuidV7 } from "../../chassis/src/time/clock.ts";
import { loadFastify } from "./fastify.ts";

const HOST = "127.0.0.1";
const PROJECT = "bench";
const JSON_OPTIONS = { registry: REGISTRY, alwaysEmitImplicit: true } as const;

/** What the jobs service would answer; the same work in every server. */
function jobOf(request: SubmitJobRequest): Job {
  const now = timestampFromMs(systemClock.nowMs());
  return create(JobSchema, {
    ...{ id: uuidV7(systemClock), project: PROJECT, task: request.task, queue: request.queue || "default" },
    ...{ status: Job_Status.QUEUED, version: 1, maxAttempts: 5, createTime: now },
    ...(request.input && { input: request.input }),
  });
}

/** What fastify and the hand-written server do: the transcoder's work without its checks. */
function answered(body: JsonValue): JsonValue {
  const request = fromJson(SubmitJobRequestSchema, body, { registry: REGISTRY });
  return toJson(JobSchema, jobOf(request), JSON_OPTIONS);
}

/** Node's own server, which parses the body and gives the rest to `answer`. */
function parsing(answer: (body: JsonValue) => string): Promise<number> {
  return listening(async (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [only = Buffer.alloc(0)] = chunks;
      const text = answer(JSON.parse((chunks.length === 1 ? only : Buffer.concat(chunks)).toString()));
      response.writeHead(200, {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(text),
      });
      response.end(text);
    });
  });
}

function transcoding(): Promise<number> {
  const transcoder = createTranscoder({
    registry: REGISTRY,
    services: [JobsService],
    call: () => {
      throw new Error("no stream is called here");
    },
    unary: async (_method, message) =>
      create(SubmitJobResponseSchema, { job: jobOf(message as SubmitJobRequest) }),
  });
  return listening(async (request, response) => {
    const { method = "GET", url: target = "/", headers } = request;
    const answer = await transcoder.handle({ method, target, headers, body: request });
    response.writeHead(answer.status, answer.headers);
    response.end(answer.text ?? (await buffer(answer.body)));
  });
}

async function listening(
  serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<number> {
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((done) => server.listen(0, HOST, done));
  return (server.address() as AddressInfo).port;
}

/** The whole gateway: keys, limits, coalescing, metrics and all, over a jobs service that answers at once. */
async function wholeEdge(secret: string): Promise<number> {
  const jobs: Transport = {
    unary: async (method, _signal, _timeoutMs, _header, input) => {
      const { items = [] } = input as Partial<SubmitJobsRequest>;
      const outcomes = items.flatMap(({ job }) =>
        job === undefined ? [] : [{ result: { case: "job" as const, value: jobOf(job) } }],
      );
      const message = create(SubmitJobsResponseSchema, { outcomes });
      const told = { service: method.parent, header: new Headers(), trailer: new Headers() };
      return { ...told, stream: false, method, message } as unknown as UnaryResponse<never, never>;
    },
    stream: () => Promise.reject(new Error("no stream is called here")),
  };
  const sha256 = createHash("sha256").update(secret).digest("hex");
  const key = { id: "bench", project: PROJECT, scopes: ["submit"], sha256 };
  // The other servers do without it, so that each process holds what it measures and no more.
  const { startGateway } = await import("../../../edge/gateway/src/server.ts");
  const { http } = await startGateway({
    http: { host: HOST, port: 0 },
    edgeGrpc: { host: HOST, port: 0 },
    rateLimit: { requests: 100_000_000, windowMs: 1_000 },
    reflection: false,
    keys: parseKeyFile(JSON.stringify({ keys: [key] })),
    upstreams: new Map([["jobs", jobs]]),
    jobsReplicas: 1,
    health: { ready: () => true, onChange: () => () => undefined },
    logger: createLogger({ service: "gateway", instance: "bench", level: "info", write: () => undefined }),
    metrics: createMetrics({ service: "gateway", defaults: false }),
    clock: systemClock,
  });
  return http.port;
}

const [, , kind = "", peers = "", secret = ""] = process.argv;
const KINDS: Readonly<Record<string, () => Promise<number>>> = {
  // Somebody has to make a job here as well: that is not the transcoder's work.
  plain: () => {
    const request = create(SubmitJobRequestSchema, { task: "bench.noop" });
    const fixed = JSON.stringify(answered({ task: request.task }));
    return parsing(() => {
      jobOf(request);
      return fixed;
    });
  },
  hand: () => parsing((body) => JSON.stringify(answered(body))),
  fastify: async () => (await loadFastify(peers)).listenPost(HOST, "/v1/jobs", answered),
  transcoder: transcoding,
  edge: () => wholeEdge(secret),
};
const port = await KINDS[kind]?.();
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMicros: user + system });
});
process.on("disconnect", () => process.exit(0));
process.send?.({ port });
