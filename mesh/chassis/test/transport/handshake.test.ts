import { type ConnectionOptions, connect } from "node:tls";
import { createClient } from "@connectrpc/connect";
import { expect, test } from "@jest/globals";
import { Health } from "@orrery/contracts/gen/grpc/health/v1/health_pb.js";
import { ServerReflection } from "@orrery/contracts/gen/grpc/reflection/v1/reflection_pb.js";
import { faultFrom } from "../../src/fault/wire.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { serve } from "../../src/transport/route.ts";
import { testIdentities } from "../identity/test-identities.ts";
import { OpenService } from "./echo-contract.ts";
import { echoBed } from "./echo-server.ts";

// Whether a peer with these options is let in: with TLS 1.3 a client learns of a refusal after its own
// handshake.
function letIn(port: number, options: ConnectionOptions): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const base = { port, host: "127.0.0.1", servername: "localhost", ALPNProtocols: ["h2"] };
  const socket = connect({ ...base, ...options }, () => socket.on("data", () => resolve(true)));
  socket.on("error", () => resolve(false));
  socket.on("close", () => resolve(false));
  return promise.finally(() => socket.destroy());
}

const bundle = ({ keyPem, certPem }: { keyPem: string; certPem: string }): ConnectionOptions => ({
  key: keyPem,
  cert: certPem,
});

test("a peer gets in only over TLS 1.3 with a certificate of ours that names a workload", async () => {
  await using bed = await echoBed();
  await using foreign = await testIdentities();
  const { port } = bed.server.address;
  const ca = bed.identities.authority.certPem;
  const good = bundle((await bed.identities.of("gateway")).current());
  expect(await letIn(port, { ca, ...good })).toBe(true);
  expect(await letIn(port, { ca })).toBe(false);
  expect(await letIn(port, { ca, ...bundle((await foreign.of("gateway")).current()) })).toBe(false);
  expect(await letIn(port, { ca, ...bundle(foreign.authority) })).toBe(false);
  expect(await letIn(port, { ca, ...good, maxVersion: "TLSv1.2" })).toBe(false);
  await bed.identities.issue("Bad-Name");
  expect(await letIn(port, { ca, ...bundle((await bed.identities.of("Bad-Name")).current()) })).toBe(false);
  await eventually(async () => {
    const refused = /method="_handshake",service="echo"\} (\d+)/.exec(await bed.metrics.registry.metrics());
    expect(Number(refused?.[1])).toBe(5);
  });
  const events = bed.lines.map(({ security_event }) => security_event);
  expect(events).toContain("identity.handshake_refused");
  expect(events).toContain("identity.name_refused");
});

test("an expired leaf does not get in", async () => {
  await using bed = await echoBed();
  await bed.identities.issue("gateway");
  const identity = await bed.identities.of("worker");
  await bed.identities.issue("worker", -1_000);
  await eventually(() => expect(identity.current().notAfterMs).toBeLessThan(Date.now()));
  const ca = bed.identities.authority.certPem;
  expect(await letIn(bed.server.address.port, { ca, ...bundle(identity.current()) })).toBe(false);
});

test("a client does not talk to a server whose certificate names another workload", async () => {
  await using bed = await echoBed();
  const client = await bed.client("gateway", { workload: "other" });
  const failure = faultFrom(await client.echo({}, { timeoutMs: 1_000 }).catch((error: unknown) => error));
  expect(failure.reason).toBe("DEPENDENCY_UNAVAILABLE");
});

test("health and reflection answer for every service, and the operator only", async () => {
  await using bed = await echoBed();
  const operator = (await bed.client("operator")).transport;
  const health = createClient(Health, operator);
  const serving = 1;
  expect((await health.check({ service: "orrery.echo.v1.EchoService" })).status).toBe(serving);
  const reflection = createClient(ServerReflection, operator);
  const ask = async function* (): AsyncIterable<{ messageRequest: { case: "listServices"; value: string } }> {
    yield { messageRequest: { case: "listServices", value: "" } };
  };
  const listed: string[] = [];
  for await (const { messageResponse } of reflection.serverReflectionInfo(ask())) {
    if (messageResponse.case === "listServicesResponse") {
      listed.push(...messageResponse.value.service.map(({ name }) => name));
    }
  }
  expect(listed.sort()).toEqual([
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "orrery.echo.v1.EchoService",
  ]);
  const worker = createClient(Health, (await bed.client("worker")).transport);
  expect(faultFrom(await worker.check({}).catch((error: unknown) => error)).reason).toBe(
    "CALLER_NOT_ALLOWED",
  );
});

test("with reflection off it is not served, and a service without a policy does not start", async () => {
  await using bed = await echoBed({}, { reflection: false });
  const reflection = createClient(ServerReflection, (await bed.client("operator")).transport);
  const answers = reflection.serverReflectionInfo((async function* () {})())[Symbol.asyncIterator]();
  expect(faultFrom(await answers.next().catch((error: unknown) => error)).reason).toBe("UNIMPLEMENTED");
  const routes = [serve(OpenService, { anyone: async () => ({}) } as never)];
  await expect(echoBed({}, { routes, identities: bed.identities })).rejects.toThrow("has no policy");
});
