import type { DescMethodUnary } from "@bufbuild/protobuf";
import { StructSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "@jest/globals";
import { Fault } from "../../src/fault/fault.ts";
import { faultFrom } from "../../src/fault/wire.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { callHeaders } from "../../src/transport/call.ts";
import { openChannel } from "../../src/transport/client-channel.ts";
import { errorFrom } from "../../src/transport/grpc-codec.ts";
import { requireOnBehalf } from "../../src/transport/route.ts";
import { EchoService } from "./echo-contract.ts";
import { collect, echoBed, notes } from "./echo-server.ts";

const failure = async (call: Promise<unknown>): Promise<Fault> =>
  call.then(
    () => {
      throw new Error("the call succeeded");
    },
    (error: unknown) => faultFrom(error),
  );

test("all four kinds of RPC carry messages both ways over mutual TLS", async () => {
  await using bed = await echoBed();
  const client = await bed.client("gateway");
  expect((await client.echo({ text: "hello", labels: { a: "b" } })).labels).toEqual({ a: "b" });
  expect((await client.join(notes("a", "b", "c"))).text).toBe("abc");
  expect(await collect(client.count({ text: "3" }))).toEqual(["1", "2", "3"]);
  expect(await collect(client.chat(notes("x", "y")))).toEqual(["X", "Y"]);
});

test("a fault keeps its reason, detail, fields and pause on the way to the caller", async () => {
  const sent = new Fault("OVERLOADED", {
    detail: "too much, größer als erlaubt",
    fieldViolations: [{ field: "items[3].maxCount", description: "at most 100" }],
    retryAfterMs: 1_500,
  });
  await using bed = await echoBed({
    echo: async () => {
      throw sent;
    },
    count: async function* () {
      yield { text: "1" };
      throw sent;
    },
  });
  const client = await bed.client("gateway");
  const unary = await failure(client.echo({}));
  const streamed = await failure(collect(client.count({})));
  for (const received of [unary, streamed]) {
    expect(received).toMatchObject({
      reason: "OVERLOADED",
      message: sent.message,
      fieldViolations: sent.fieldViolations,
      retryAfterMs: 1_500,
    });
  }
});

test("an error that no handler meant reaches the caller without its text, and the log with it", async () => {
  await using bed = await echoBed({
    echo: async () => {
      throw new TypeError("password is hunter2");
    },
  });
  const received = await failure((await bed.client("gateway")).echo({}));
  expect(received.reason).toBe("INTERNAL");
  expect(received.message).not.toContain("hunter2");
  const logged = bed.lines.filter(({ message }) => message === "rpc failed");
  expect(logged).toHaveLength(1);
  expect(JSON.stringify(logged[0])).toContain("hunter2");
});

test("an answer that cannot be read fails that call, and says which", async () => {
  await using bed = await echoBed({ echo: async () => ({ text: "\u0007" }) });
  const { transport } = await bed.client("gateway");
  const { echo } = EchoService.method;
  const misread = { ...echo, output: StructSchema } as unknown as DescMethodUnary;
  const received = await failure(transport.unary(misread, undefined, undefined, undefined, {}));
  expect([received.reason, received.message]).toEqual(["INTERNAL", "the answer of Echo cannot be read"]);
});

test("a message that breaks the contract is refused before the handler, by field", async () => {
  let entered = false;
  await using bed = await echoBed({
    echo: async () => {
      entered = true;
      return {};
    },
  });
  const client = await bed.client("gateway");
  const items = [
    { word: "a", maxCount: 1 },
    { word: "b", maxCount: 101 },
  ];
  const received = await failure(client.echo({ items }));
  expect(received.reason).toBe("INVALID_REQUEST");
  expect(received.fieldViolations).toEqual([
    {
      field: "items[1].maxCount",
      description: "must be greater than or equal to 0 and less than or equal to 100",
    },
  ]);
  expect(entered).toBe(false);
  const streamed = await failure(collect(client.chat(notes("fine", "\0"))));
  expect(streamed.fieldViolations[0]?.field).toBe("text");
});

test("a caller that is not on the RPC's list is refused, counted and logged", async () => {
  await using bed = await echoBed();
  const received = await failure((await bed.client("worker")).reserved({}));
  expect(received.reason).toBe("CALLER_NOT_ALLOWED");
  const stranger = await failure((await bed.client("stranger")).echo({}));
  expect(stranger.reason).toBe("CALLER_NOT_ALLOWED");
  expect(await bed.metrics.registry.metrics()).toContain(
    'orrery_policy_denied_total{rpc_service="orrery.echo.v1.EchoService",method="Reserved",service="echo"} 1',
  );
  expect(bed.lines.find(({ caller }) => caller === "stranger")).toMatchObject({
    security_event: "policy.caller_refused",
    rpc_method: "Echo",
  });
});

test("project and principal are believed from on_behalf workloads and refused from all others", async () => {
  await using bed = await echoBed({
    echo: async (_note, call) => ({
      text: JSON.stringify([call.caller, requireOnBehalf(call), call.correlationId]),
    }),
  });
  const onBehalf = { project: "demo", principal: "key-1", scopes: ["read", "submit"] };
  const headers = callHeaders({ onBehalf, correlationId: "c-1", traceparent: "" });
  const heard = await (await bed.client("gateway")).echo({}, { headers });
  expect(JSON.parse(heard.text)).toEqual(["gateway", onBehalf, "c-1"]);
  const worker = await bed.client("worker");
  expect((await failure(worker.echo({}, { headers }))).reason).toBe("CALLER_NOT_ALLOWED");
  expect((await failure(worker.echo({}))).message).toContain("on behalf");
  const half = { "orrery-project": "demo" };
  expect((await failure((await bed.client("gateway")).echo({}, { headers: half }))).reason).toBe(
    "CALLER_NOT_ALLOWED",
  );
});

test("a header of the mesh gives no identity where we terminate TLS ourselves", async () => {
  await using bed = await echoBed();
  const headers = { "l5d-client-id": "operator.orrery.serviceaccount.identity.linkerd.cluster.local" };
  expect((await failure((await bed.client("worker")).reserved({}, { headers }))).reason).toBe(
    "CALLER_NOT_ALLOWED",
  );
});

test("behind a mesh's proxy the header is the identity, and nobody without it comes in", async () => {
  await using bed = await echoBed({}, { identitySource: "linkerd", identity: undefined });
  const client = bed.clientWith(undefined);
  const headers = { "l5d-client-id": "gateway.orrery.serviceaccount.identity.linkerd.cluster.local" };
  expect((await client.echo({ text: "in" }, { headers })).text).toBe("in");
  expect((await failure(client.echo({}))).reason).toBe("CALLER_NOT_ALLOWED");
});

test("a deadline only shrinks: the earlier of the caller's and the contract's holds", async () => {
  await using bed = await echoBed({
    echo: async (_note, call) => ({ text: String(Math.round(call.remainingMs(60_000))) }),
  });
  const client = await bed.client("gateway");
  const contracts = Number((await client.echo({}, { timeoutMs: 30_000 })).text);
  expect(contracts).toBeLessThanOrEqual(2_000);
  expect(contracts).toBeGreaterThan(1_000);
  const callers = Number((await client.echo({}, { timeoutMs: 700 })).text);
  expect(callers).toBeLessThanOrEqual(700);
});

test("a handler that takes too long is told so, and the caller is answered within the deadline", async () => {
  const ended = Promise.withResolvers<string>();
  await using bed = await echoBed({
    echo: (_note, call) =>
      new Promise(() => {
        call.signal.addEventListener("abort", () => ended.resolve((call.signal.reason as Fault).reason));
      }),
  });
  const startedMs = performance.now();
  const received = await failure((await bed.client("gateway")).echo({}, { timeoutMs: 300 }));
  expect(received).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", retryAfterMs: 1_000 });
  expect(performance.now() - startedMs).toBeLessThan(1_500);
  // Both ends keep the time: whichever clock runs out first, the handler's own or its caller's, tells it.
  expect(["DEADLINE_EXCEEDED", "CANCELLED"]).toContain(await ended.promise);
});

test("a caller that goes away ends the signal of a unary call and of a stream", async () => {
  const reasons: string[] = [];
  const note = (call: { signal: AbortSignal }): void =>
    call.signal.addEventListener("abort", () => reasons.push((call.signal.reason as Fault).reason));
  await using bed = await echoBed({
    echo: (_note, call) => new Promise(() => note(call)),
    count: async function* (_note, call) {
      note(call);
      yield { text: "1" };
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
    },
  });
  const client = await bed.client("gateway");
  const controller = new AbortController();
  const unary = failure(client.echo({}, { signal: controller.signal }));
  await eventually(() => expect(bed.server.openCalls).toBe(1));
  controller.abort();
  expect((await unary).reason).toBe("CANCELLED");
  const watching = new AbortController();
  const stream = client.count({}, { signal: watching.signal })[Symbol.asyncIterator]();
  await stream.next();
  watching.abort();
  expect((await failure(stream.next())).reason).toBe("CANCELLED");
  await eventually(() => expect(reasons).toEqual(["CANCELLED", "CANCELLED"]));
  await eventually(() => expect(bed.server.openCalls).toBe(0));
});

test("a source that waits is told when its stream ends before it", async () => {
  await using bed = await echoBed({
    join: async () => {
      throw new Fault("OVERLOADED", { detail: "no room" });
    },
  });
  let told = false;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise<never>(() => {}),
      return: async () => {
        told = true;
        return { done: true as const, value: undefined };
      },
    }),
  };
  expect((await failure((await bed.client("gateway")).join(source))).reason).toBe("OVERLOADED");
  await eventually(() => expect(told).toBe(true));
});

test("a stream does not run ahead of a peer that does not read", async () => {
  let written = 0;
  const text = "x".repeat(100_000);
  await using bed = await echoBed({
    count: async function* () {
      for (; written < 2_000; written += 1) yield { text };
    },
  });
  const stream = (await bed.client("gateway")).count({})[Symbol.asyncIterator]();
  await stream.next();
  let before = -1;
  await eventually(
    () => {
      const settled = written === before;
      before = written;
      expect(settled).toBe(true);
    },
    { everyMs: 200 },
  );
  expect(written).toBeLessThan(200);
  await stream.return?.();
});

test("an accepted stream opens at once, long before its first message", async () => {
  const first = Promise.withResolvers<void>();
  await using bed = await echoBed({
    chat: async function* (_notes, call) {
      call.accept();
      await first.promise;
      yield { text: call.caller };
    },
  });
  const client = await bed.client("gateway");
  const opened = Promise.withResolvers<void>();
  const heard = collect(client.chat(notes(), { onHeader: () => opened.resolve() }));
  await opened.promise;
  first.resolve();
  expect(await heard).toEqual(["gateway"]);
});

test("draining lets calls under way finish, refuses new ones and ends streams without an end", async () => {
  const go = Promise.withResolvers<void>();
  await using bed = await echoBed({
    echo: async () => {
      await go.promise;
      return { text: "done" };
    },
    chat: async function* (_notes, call) {
      call.accept();
      await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      yield { text: "too late" };
    },
  });
  const client = await bed.client("gateway");
  const unary = client.echo({});
  const chat = failure(collect(client.chat(notes())));
  await eventually(() => expect(bed.server.openCalls).toBe(2));
  const drained = bed.server.drain(600);
  go.resolve();
  expect((await unary).text).toBe("done");
  expect((await chat).reason).toBe("DEPENDENCY_UNAVAILABLE");
  await drained;
  expect((await failure(client.echo({}, { timeoutMs: 500 }))).reason).toBe("DEPENDENCY_UNAVAILABLE");
});

test("a call that outlives the drain is told that the server stops", async () => {
  await using bed = await echoBed({ echo: () => new Promise(() => {}) });
  const call = failure((await bed.client("gateway")).echo({}));
  await eventually(() => expect(bed.server.openCalls).toBe(1));
  await bed.server.drain(50);
  expect(await call).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", message: "the server is stopping" });
});

test("bytes that are no message are the caller's fault, and never parsed for one who may not call", async () => {
  await using bed = await echoBed();
  const raw = async (workload: string): Promise<string> => {
    const identity = await bed.identities.of(workload);
    const channel = openChannel({ workload: "echo", addresses: [bed.server.address], identity });
    const answer = Promise.withResolvers<string>();
    const same = (bytes: Buffer): Buffer => bytes;
    const path = "/orrery.echo.v1.EchoService/Echo";
    channel.makeUnaryRequest(path, same, same, Buffer.from([0xff, 0xff, 0xff]), (error) =>
      answer.resolve(error === null ? "OK" : faultFrom(errorFrom(error)).reason),
    );
    return answer.promise.finally(() => channel.close());
  };
  expect(await raw("gateway")).toBe("INVALID_REQUEST");
  expect(await raw("stranger")).toBe("CALLER_NOT_ALLOWED");
});

test("a client does not run ahead of a server that does not read", async () => {
  let sent = 0;
  const text = "x".repeat(100_000);
  const go = Promise.withResolvers<void>();
  await using bed = await echoBed({
    join: async (all) => {
      await go.promise;
      let count = 0;
      for await (const _note of all) count += 1;
      return { text: String(count) };
    },
  });
  const many = async function* (): AsyncIterable<{ text: string }> {
    for (; sent < 150; sent += 1) yield { text };
  };
  const joined = (await bed.client("gateway")).join(many());
  let before = -1;
  await eventually(
    () => {
      const settled = sent === before && sent > 0;
      before = sent;
      expect(settled).toBe(true);
    },
    { everyMs: 200 },
  );
  expect(sent).toBeLessThan(100);
  go.resolve();
  expect((await joined).text).toBe("150");
});

test("calls are spread over all addresses", async () => {
  await using one = await echoBed({ echo: async () => ({ text: "one" }) });
  await using two = await echoBed({ echo: async () => ({ text: "two" }) }, { identities: one.identities });
  const client = await one.client("gateway", { addresses: [one.server.address, two.server.address] });
  await eventually(async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => client.echo({})));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(2);
  });
});

test("a request over the limit is the caller's fault, and an answer over it is the server's", async () => {
  const large = { text: "x".repeat(20_000) };
  await using bed = await echoBed({ read: async () => large }, { maxMessageBytes: 10_000 });
  const client = await bed.client("gateway");
  expect((await failure(client.echo(large))).reason).toBe("BODY_TOO_LARGE");
  expect((await failure(client.read({}))).reason).toBe("ANSWER_TOO_LARGE");
  const small = await bed.client("worker", { maxMessageBytes: 10_000 });
  expect((await failure(small.echo(large))).reason).toBe("BODY_TOO_LARGE");
});

test("durations are recorded on both ends, by service, method and code", async () => {
  await using bed = await echoBed();
  const client = await bed.client("gateway", { metrics: bed.metrics });
  await client.echo({});
  await failure(client.reserved({}));
  const text = await bed.metrics.registry.metrics();
  for (const end of ["server", "client"]) {
    const labels = (method: string, code: string): string =>
      `orrery_rpc_${end}_duration_seconds_count{service="echo",rpc_service="orrery.echo.v1.EchoService",` +
      `method="${method}",code="${code}"} 1`;
    expect(text).toContain(labels("Echo", "OK"));
    expect(text).toContain(labels("Reserved", "PERMISSION_DENIED"));
  }
});
