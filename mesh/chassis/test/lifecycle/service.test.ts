import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { expect, test } from "@jest/globals";
import { eventually } from "../../src/testing/eventually.ts";
import { createGrpcTransport } from "../../src/transport/grpc-client.ts";
import { type TestIdentities, testIdentities } from "../identity/test-identities.ts";
import { EchoService } from "../transport/echo-contract.ts";
import type { EchoClient } from "../transport/echo-server.ts";

const MAIN = fileURLToPath(new URL("./echo-service.ts", import.meta.url));

interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[];
  readonly exit: Promise<number | null>;
}

async function start(identities: TestIdentities, env: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN], {
    env: {
      PATH: process.env.PATH,
      ORRERY_SERVICE: "echo",
      ORRERY_INSTANCE: "echo-0",
      ORRERY_GRPC_ADDRESS: "127.0.0.1:0",
      ORRERY_ADMIN_ADDRESS: "127.0.0.1:0",
      ORRERY_IDENTITY_FILE: await identities.issue("echo"),
      ORRERY_CA_FILE: identities.caFile,
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: Record<string, unknown>[] = [];
  child.stdout?.on("data", (part: Buffer) => {
    for (const line of part.toString().split("\n")) {
      if (line !== "") lines.push(JSON.parse(line) as Record<string, unknown>);
    }
  });
  const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
  return { child, lines, exit, [Symbol.asyncDispose]: async () => void child.kill("SIGKILL") };
}

const messages = (lines: readonly Record<string, unknown>[]): unknown[] =>
  lines.map(({ message }) => message);

test("a service that stops answers what is under way, then releases in reverse order", async () => {
  await using identities = await testIdentities();
  await using running = await start(identities);
  const serving = await eventually(() => {
    const line = running.lines.find(({ message }) => message === "serving");
    if (line === undefined) throw new Error("not serving yet");
    return line;
  });
  const [host = "", port = ""] = String(serving.grpc).split(":");
  const transport = createGrpcTransport({
    workload: "echo",
    addresses: [{ host, port: Number(port) }],
    identity: await identities.of("gateway"),
  });
  const client = createClient(EchoService, transport) as unknown as EchoClient;
  expect((await client.echo({ text: "0" })).text).toBe("done");
  const slow = client.echo({ text: "300" });
  await eventually(() =>
    expect(running.lines).toContainEqual(expect.objectContaining({ message: "entered 300" })),
  );
  running.child.kill("SIGTERM");
  expect((await slow).text).toBe("done");
  expect(await running.exit).toBe(0);
  const told = messages(running.lines);
  const order = ["stopping", "released last opened", "released first opened", "stopped"];
  expect(told.filter((message) => order.includes(String(message)))).toEqual(order);
  await transport.close();
});

test("a start that fails releases what it had opened, says why and exits with 1", async () => {
  await using identities = await testIdentities();
  await using running = await start(identities, { ORRERY_INSTANCE: "echo-broken" });
  expect(await running.exit).toBe(1);
  expect(messages(running.lines)).toEqual([
    "released last opened",
    "released first opened",
    "stopped",
    "the service failed",
  ]);
  expect(JSON.stringify(running.lines.at(-1))).toContain("cannot start");
});
