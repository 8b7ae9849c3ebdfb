import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "@jest/globals";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import type { Address } from "@orrery/mesh/config/read-config";
import { Fault } from "@orrery/mesh/fault/fault";
import { createHealth } from "@orrery/mesh/health/health";
import { bundleOf, createAuthority, issueLeaf } from "@orrery/mesh/identity/dev-ca";
import { loadIdentity } from "@orrery/mesh/identity/identity-files";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { createMetrics } from "@orrery/mesh/telemetry/metrics";
import { eventually } from "@orrery/mesh/testing/eventually";
import { systemClock } from "@orrery/mesh/time/clock";
import { listenGrpc } from "@orrery/mesh/transport/grpc-server";
import { type Implementation, serve } from "@orrery/mesh/transport/route";
import { FakeEngine } from "./fake-engine.ts";
import { leaseOf } from "./worker-factory.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

/** Identities, and engines behind real gRPC ports with mutual TLS, for one test. */
async function meshBed(engines: readonly FakeEngine[]) {
  const stack = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "orrery-worker-"));
  stack.defer(() => rmSync(folder, { recursive: true }));
  const authority = await createAuthority({ clock: systemClock });
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, authority.certPem);
  const identityFile = async (workload: string) => {
    const options = { clock: systemClock, lifetimeMs: 3_600_000 };
    const leaf = await issueLeaf(authority, { commonName: workload, workload }, options);
    const path = join(folder, `${workload}.pem`);
    writeFileSync(path, bundleOf(leaf), { mode: 0o600 });
    return path;
  };
  const logger = createLogger({
    service: "jobs",
    instance: "jobs-0",
    level: "error",
    write: () => undefined,
  });
  const identity = stack.use(
    await loadIdentity({ identityFile: await identityFile("jobs"), caFile, logger }),
  );
  const addresses: Address[] = [];
  for (const engine of engines) {
    const health = stack.use(createHealth({ logger }));
    const refused = () =>
      Promise.reject(new Fault("UNIMPLEMENTED", { detail: "this engine serves Work only" }));
    const implementation: Implementation<typeof WorkService> = {
      leaseJobs: refused,
      completeAttempts: refused,
      failAttempts: refused,
      listWorkers: refused,
      releaseAttempts: refused,
      heartbeatAttempts: refused,
      work: (requests) => engine.work(requests),
    };
    const server = await listenGrpc({
      address: { host: "127.0.0.1", port: 0 },
      identitySource: "tls",
      identity,
      health,
      reflection: false,
      logger,
      routes: [serve(WorkService, implementation)],
      metrics: createMetrics({ service: "jobs", defaults: false }),
    });
    stack.defer(() => server.drain(200));
    addresses.push(server.address);
  }
  return { caFile, identityFile, addresses, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The service as its supervisor starts it. */
function startService(
  env: Record<string, string>,
): { child: ChildProcess; lines: () => string } & AsyncDisposable {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  const take = (chunk: Buffer) => {
    printed += chunk.toString();
  };
  child.stdout.on("data", take);
  child.stderr.on("data", take);
  return {
    child,
    lines: () => printed,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe("the worker service", () => {
  test("serves two replicas over mutual TLS and gives back on SIGTERM what it cannot finish", async () => {
    const first = new FakeEngine();
    const second = new FakeEngine(first);
    await using bed = await meshBed([first, second]);
    await using service = startService({
      ORRERY_SERVICE: "worker",
      ORRERY_INSTANCE: "worker-0",
      ORRERY_GRPC_ADDRESS: "127.0.0.1:0",
      ORRERY_ADMIN_ADDRESS: "127.0.0.1:0",
      ORRERY_IDENTITY_FILE: await bed.identityFile("worker"),
      ORRERY_CA_FILE: bed.caFile,
      ORRERY_PEER_JOBS: bed.addresses.map(({ host, port }) => `${host}:${port}`).join(","),
      ORRERY_WORKER_SLOTS: "10",
      ORRERY_WORKER_DRAIN: "200ms",
    });
    await eventually(() => {
      const credit = [first, second].map(({ streams }) => [...streams].map((stream) => stream.credit));
      if (credit.flat().join() !== "5,5") throw new Error(`${JSON.stringify(credit)}\n${service.lines()}`);
    });
    const [echo, long] = first.add(leaseOf("orrery.echo", { a: 1 }), leaseOf("orrery.sleep", { ms: 60_000 }));
    await eventually(() => expect(echo?.end).toEqual({ status: "SUCCEEDED", output: { a: 1 } }));
    const exit = once(service.child, "exit");
    service.child.kill("SIGTERM");
    await exit;
    expect([service.child.exitCode, service.lines()]).toEqual([0, expect.stringContaining("retired")]);
    expect(long).toMatchObject({ released: true, results: 0 });
    expect([...first.drained, ...second.drained]).toContain("worker-0");
  });

  test("names everything that is wrong with its environment and does not start", async () => {
    await using service = startService({ ORRERY_SERVICE: "worker" });
    await once(service.child, "exit");
    expect(service.child.exitCode).toBe(1);
    expect(service.lines()).toMatch(/ORRERY_INSTANCE[\s\S]*ORRERY_PEER_JOBS/);
  });
});
