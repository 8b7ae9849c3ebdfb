import { fromBinary, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, ValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { beforeEach, describe, expect, test } from "@jest/globals";
import { BadRequestSchema, ErrorInfoSchema } from "@orrery/contracts/gen/google/rpc/error_details_pb.js";
import {
  HealthCheckResponse_ServingStatus,
  Health as HealthService,
} from "@orrery/contracts/gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "@orrery/contracts/gen/grpc/reflection/v1/reflection_pb.js";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { type WorkRequest, WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { Problem_Reason } from "@orrery/contracts/gen/orrery/options/v1/problem_pb.js";
import { eventually } from "@orrery/mesh/testing/eventually";
import { type OnBehalf, requireOnBehalf } from "@orrery/mesh/transport/route";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, type KEYS, PUBLIC_URL, sharedTestBed, startTestBed } from "./gateway-factory.ts";

const jobs = new FakeJobs();
const workers: OnBehalf[] = [];
const heard: WorkRequest[] = [];
let sent = 0;
let workEnded = 0;

const bed = sharedTestBed({
  jobs: jobs.implementation,
  work: {
    work: async function* (requests, call) {
      workers.push(requireOnBehalf(call));
      try {
        for await (const request of requests) {
          heard.push(request);
          if (request.message.case === "register") {
            yield {
              sequence: request.sequence,
              message: { case: "registered", value: { heartbeatSeconds: 5 } },
            };
          }
          if (request.message.case !== "credit") continue;
          for (let lease = 0; lease < request.message.value.jobs; lease += 1) {
            sent += 1;
            yield {
              message: {
                case: "leases",
                value: { leases: [{ jobId: "x".repeat(10_000), leaseEpoch: lease }] },
              },
            };
          }
        }
      } finally {
        workEnded += 1;
      }
    },
  },
});
beforeEach(() => {
  jobs.delayMs = 0;
  jobs.batches.length = 0;
  workers.length = 0;
  heard.length = 0;
});

type Protocol = "gRPC" | "Connect" | "gRPC-Web";

/** Clients by another hand than the server's, so that the two agree on the protocol and not on a mistake. */
function transportTo(protocol: Protocol, headers: Record<string, string>): Transport {
  const interceptors = [
    (next: (request: never) => Promise<never>) => (request: { header: Headers }) => {
      for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
      return next(request as never);
    },
  ] as never;
  switch (protocol) {
    case "gRPC":
      return createGrpcTransport({
        ...{ baseUrl: `https://localhost:${bed().gateway.edgeGrpc.port}`, interceptors },
        nodeOptions: { ca: bed().caPem },
      });
    case "Connect":
      return createConnectTransport({ baseUrl: bed().url, httpVersion: "1.1", interceptors });
    case "gRPC-Web":
      return createGrpcWebTransport({ baseUrl: bed().url, httpVersion: "1.1", interceptors });
  }
}

const jobsBy = (protocol: Protocol, headers: Record<string, string> = auth()) =>
  createClient(JobsService, transportTo(protocol, headers));

async function failureOf(action: Promise<unknown>): Promise<ConnectError> {
  try {
    await action;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("it did not fail");
}

describe.each<Protocol>(["gRPC", "Connect", "gRPC-Web"])("over %s", (protocol) => {
  test("a submission joins the batches, with the key's project and the header's key", async () => {
    const client = jobsBy(protocol, {
      ...auth("second"),
      "idempotency-key": '"again"',
      "orrery-principal": "root",
    });
    const { job, replayed } = await client.submitJob({ task: "t" });
    expect([job?.task, job?.project, replayed]).toEqual(["t", "second", true]);
    const callers = jobs.batches.flat().map(({ caller }) => caller);
    expect(callers).toContainEqual(expect.objectContaining({ project: "second", principal: "second" }));
  });

  test("a refusal carries the same details as a problem document", async () => {
    const error = await failureOf(jobsBy(protocol).submitJob({ task: "refused" }));
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(ErrorInfoSchema)).toMatchObject([
      { reason: "INVALID_REQUEST", domain: "orrery" },
    ]);
    expect(error.findDetails(BadRequestSchema)[0]?.fieldViolations).toMatchObject([{ field: "maxAttempts" }]);
  });

  test("a watch is a stream to its end", async () => {
    const client = jobsBy(protocol);
    const { job } = await client.submitJob({ task: "ends" });
    const events: string[] = [];
    for await (const frame of client.watchJob({ id: job?.id ?? "" })) events.push(frame.event);
    expect(events).toEqual(["snapshot", "JobSucceeded"]);
  });

  test("a client that stops watching ends the call behind it", async () => {
    const client = jobsBy(protocol);
    const { job } = await client.submitJob({ task: "waits" });
    const before = jobs.cancelledWatches;
    const controller = new AbortController();
    const watching = async () => {
      for await (const _ of client.watchJob({ id: job?.id ?? "" }, { signal: controller.signal }))
        controller.abort();
    };
    expect(await failureOf(watching())).toMatchObject({ code: Code.Canceled });
    await eventually(() => expect(jobs.cancelledWatches).toBe(before + 1));
  });

  test.each<[string, Record<string, string>, Code]>([
    ["no key", {}, Code.Unauthenticated],
    ["an unknown key", { authorization: "Bearer orr_unknown" }, Code.Unauthenticated],
    ["a key of another project", { ...auth(), "orrery-project": "second" }, Code.PermissionDenied],
    ["a key without the scope", auth("read"), Code.PermissionDenied],
    ["a bad idempotency key", { ...auth(), "idempotency-key": "a b" }, Code.InvalidArgument],
  ])("%s is refused", async (_, headers, code) => {
    const error = await failureOf(jobsBy(protocol, headers).submitJob({ task: "t" }));
    expect([error.code, error.findDetails(ErrorInfoSchema).length]).toEqual([code, 1]);
    expect(jobs.batches).toEqual([]);
  });

  test("an input too deep for the message that carries it on is refused before it meets others", async () => {
    let input: JsonValue = 1;
    for (let level = 0; level < 45; level += 1) input = [input];
    const error = await failureOf(
      jobsBy(protocol).submitJob({ task: "t", input: fromJson(ValueSchema, input) }),
    );
    expect(error.code).toBe(Code.InvalidArgument);
    expect(jobs.batches).toEqual([]);
  });

  test("an internal RPC is not there", async () => {
    const error = await failureOf(jobsBy(protocol).submitJobs({ items: [] }));
    expect([Code.Unimplemented, Code.NotFound, Code.Unknown]).toContain(error.code);
    expect(jobs.batches).toEqual([]);
  });

  test("a deadline of the client's is kept", async () => {
    jobs.delayMs = 1_000;
    const startedMs = performance.now();
    const error = await failureOf(jobsBy(protocol).submitJob({ task: "t" }, { timeoutMs: 200 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    expect(performance.now() - startedMs).toBeLessThan(700);
  });

  test("deadlines of hasty clients keep nobody else from the service", async () => {
    const client = jobsBy(protocol);
    const { job } = await client.submitJob({ task: "hangs" });
    const id = job?.id ?? "";
    const hasty = Array.from({ length: 40 }, () => failureOf(client.getJob({ id }, { timeoutMs: 1_100 })));
    for (const { code } of await Promise.all(hasty)) expect(code).toBe(Code.DeadlineExceeded);
    const { job: other } = await client.submitJob({ task: "t" });
    expect((await client.getJob({ id: other?.id ?? "" })).job?.id).toBe(other?.id);
  });

  test("a deadline of one client's leaves the others of its batch alone", async () => {
    jobs.delayMs = 500;
    const client = jobsBy(protocol);
    const first = client.submitJob({ task: "t" });
    await eventually(() => expect(jobs.batches).toHaveLength(1));
    const second = client.submitJob({ task: "t" });
    await eventually(() => expect(jobs.batches).toHaveLength(2));
    const hasty = failureOf(client.submitJob({ task: "t" }, { timeoutMs: 700 }));
    const patient = client.submitJob({ task: "patient" });
    expect((await patient).job?.task).toBe("patient");
    expect((await hasty).code).toBe(Code.DeadlineExceeded);
    await Promise.all([first, second]);
  });
});

test.each([
  ["cut off", Uint8Array.of(0x0a, 50, 1)],
  ["not UTF-8", Uint8Array.of(0x0a, 2, 0xff, 0xfe)],
  ["groups without end", new Uint8Array(200_000).fill(0x7b)],
])(
  "bytes over Connect that are %s are the caller's fault, and say nothing of our parser",
  async (_what, body) => {
    const answer = await fetch(`${bed().url}/orrery.jobs.v1.JobsService/SubmitJob`, {
      method: "POST",
      headers: { ...auth(), "content-type": "application/proto" },
      body,
    });
    expect([answer.status, await answer.json()]).toEqual([
      400,
      expect.objectContaining({
        code: "invalid_argument",
        message: "The bytes are no orrery.jobs.v1.SubmitJobRequest.",
      }),
    ]);
  },
);

test.each([
  ["gRPC-Web", "SubmitJob", "application/grpc-web+proto", "grpc-status: 3\r\n"],
  ["gRPC-Web", "WatchJob", "application/grpc-web+proto", "grpc-status: 3\r\n"],
  ["Connect", "WatchJob", "application/connect+proto", '"code":"invalid_argument"'],
])(
  "bytes in frames over %s that are no message of %s are the caller's fault, too",
  async (_name, rpc, type, code) => {
    const answer = await fetch(`${bed().url}/orrery.jobs.v1.JobsService/${rpc}`, {
      method: "POST",
      headers: { ...auth(), "content-type": type },
      body: Uint8Array.of(0, 0, 0, 0, 3, 0x0a, 50, 1),
    });
    const text = await answer.text();
    expect(text).toContain(code);
    expect(decodeURIComponent(text)).toContain(`The bytes are no orrery.jobs.v1.${rpc}Request.`);
  },
);

describe("a stream of submissions", () => {
  test("answers each job by its index, refused ones too, and the stream goes on", async () => {
    async function* requests() {
      for (let index = 0; index < 2_500; index += 1) {
        yield { index, job: { task: index % 100 === 7 ? "refused" : `t${index}` } };
      }
    }
    const answers = new Map<number, string>();
    jobs.delayMs = 10;
    for await (const { index, outcome } of jobsBy("gRPC").submitJobStream(requests())) {
      const { result } = outcome ?? {};
      answers.set(index, result?.case === "job" ? result.value.task : (result?.value?.type ?? "nothing"));
    }
    jobs.delayMs = 0;
    expect(answers.size).toBe(2_500);
    expect(answers.get(8)).toBe("t8");
    expect(answers.get(7)).toBe(`${PUBLIC_URL}/problems/INVALID_REQUEST`);
    expect(Math.max(...jobs.batchSizes)).toBeLessThanOrEqual(1_000);
    expect(jobs.batchSizes.length).toBeLessThan(500);
  });

  test("is counted job by job against the rate of its key", async () => {
    await using slow = await startTestBed(
      { jobs: new FakeJobs().implementation },
      { rateLimit: { requests: 11, windowMs: 60_000 } },
    );
    const client = createClient(
      JobsService,
      createGrpcTransport({
        baseUrl: `https://localhost:${slow.gateway.edgeGrpc.port}`,
        nodeOptions: { ca: slow.caPem },
      }),
    );
    async function* requests() {
      for (let index = 0; index < 20; index += 1) yield { index, job: { task: "t" } };
    }
    const results: (string | undefined)[] = [];
    for await (const { outcome } of client.submitJobStream(requests(), { headers: auth() })) {
      results.push(outcome?.result.case);
    }
    expect(results.filter((result) => result === "job")).toHaveLength(10);
    expect(results.filter((result) => result === "error")).toHaveLength(10);
    expect(slow.lines.filter((line) => line.security_event === "edge.rate_limited")).toHaveLength(1);
  });

  test("names the reason of a message without a job", async () => {
    async function* requests() {
      yield { index: 3 };
    }
    for await (const { outcome } of jobsBy("gRPC").submitJobStream(requests())) {
      expect(outcome?.result).toMatchObject({
        case: "error",
        value: { reason: Problem_Reason.INVALID_REQUEST },
      });
    }
  });
});

describe("the Work stream", () => {
  /** A worker whose messages are pushed by the test. */
  function openWork(key: keyof typeof KEYS = "all") {
    const queue: (Partial<WorkRequest> | undefined)[] = [];
    let wake = () => {};
    const controller = new AbortController();
    async function* requests() {
      for (;;) {
        const next = queue.shift();
        if (next !== undefined) yield next as WorkRequest;
        else if (controller.signal.aborted) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    }
    const client = createClient(WorkService, transportTo("gRPC", auth(key)));
    const answers = client.work(requests(), { signal: controller.signal })[Symbol.asyncIterator]();
    return {
      answers,
      say: (message: WorkRequest["message"], sequence = 0) => {
        queue.push({ message, sequence } as WorkRequest);
        wake();
      },
      leave: () => {
        controller.abort();
        wake();
      },
    };
  }
  const register = {
    case: "register",
    value: { worker: "w", tasks: ["t"], queues: [], slots: 1 },
  } as unknown as WorkRequest["message"];
  const credit = (count: number) =>
    ({ case: "credit", value: { jobs: count } }) as unknown as WorkRequest["message"];

  test("goes both ways, on behalf of the key", async () => {
    const work = openWork();
    work.say(register, 1);
    expect((await work.answers.next()).value).toMatchObject({ sequence: 1, message: { case: "registered" } });
    work.say(credit(2));
    expect((await work.answers.next()).value).toMatchObject({ message: { case: "leases" } });
    expect(workers).toMatchObject([{ project: "demo", principal: "all" }]);
    work.leave();
  });

  test("ends inside when the worker goes away", async () => {
    const before = workEnded;
    const work = openWork();
    work.say(register);
    await work.answers.next();
    work.leave();
    await work.answers.next().catch(() => undefined);
    await eventually(() => expect(workEnded).toBe(before + 1));
  });

  test("holds the service back while the worker does not read", async () => {
    sent = 0;
    const work = openWork();
    work.say(register);
    await work.answers.next();
    work.say(credit(10_000));
    await work.answers.next();
    let last = -1;
    await eventually(
      () => {
        const stood = last === sent;
        last = sent;
        expect(stood).toBe(true);
      },
      { everyMs: 200 },
    );
    // 100 MB were asked for; what is under way fits the buffers of the connections between.
    expect(sent).toBeLessThan(2_000);
    work.leave();
  });

  test("needs the scope", async () => {
    const work = openWork("read");
    work.say(register);
    expect(await failureOf(work.answers.next())).toMatchObject({ code: Code.PermissionDenied });
  });
});

describe("health", () => {
  test("is told to anyone as often as asked, and for as long as one likes to a key", async () => {
    const anyone = createClient(HealthService, transportTo("gRPC", {}));
    const { NOT_SERVING, SERVING } = HealthCheckResponse_ServingStatus;
    for (const service of ["", "orrery.jobs.v1.JobsService"])
      expect((await anyone.check({ service })).status).toBe(SERVING);
    bed().setReady(false);
    expect((await anyone.check({})).status).toBe(NOT_SERVING);
    bed().setReady(true);
    const first = (headers: Record<string, string>) =>
      createClient(HealthService, transportTo("gRPC", headers)).watch({})[Symbol.asyncIterator]().next();
    expect((await first(auth("read"))).value).toMatchObject({ status: SERVING });
    expect(await failureOf(first({}))).toMatchObject({ code: Code.Unauthenticated });
  });
});

describe("reflection", () => {
  async function ask(request: object, headers: Record<string, string>) {
    async function* requests() {
      yield request;
    }
    const client = createClient(ServerReflection, transportTo("gRPC", headers));
    for await (const { messageResponse } of client.serverReflectionInfo(requests())) return messageResponse;
    return undefined;
  }
  const list = { messageRequest: { case: "listServices", value: "" } };

  test("lists the services for a key, and for nobody else", async () => {
    const answer = await ask(list, auth("read"));
    const names = answer?.case === "listServicesResponse" ? answer.value.service.map(({ name }) => name) : [];
    expect(names).toEqual(
      expect.arrayContaining([
        "orrery.jobs.v1.JobsService",
        "orrery.jobs.v1.WorkService",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
      ]),
    );
    expect(await failureOf(ask(list, {}))).toMatchObject({ code: Code.Unauthenticated });
  });

  test("shows neither internal RPCs nor who calls whom", async () => {
    const symbol = { messageRequest: { case: "fileContainingSymbol", value: "orrery.jobs.v1.JobsService" } };
    const answer = await ask(symbol, auth());
    const files = answer?.case === "fileDescriptorResponse" ? answer.value.fileDescriptorProto : [];
    const service = files
      .map((file) => fromBinary(FileDescriptorProtoSchema, file))
      .find(({ name }) => name.endsWith("jobs/v1/jobs_service.proto"))?.service[0];
    const names = service?.method.map(({ name }) => name);
    expect(names).toContain("SubmitJob");
    expect(names).not.toContain("SubmitJobs");
    expect(Buffer.concat(files).toString("latin1")).not.toContain("gateway");
  });
});
