import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NatsConnection } from "nats";
import type { IdentityFiles } from "../identity/identity-files.ts";
import { connectNats } from "../messaging/connection.ts";
import { createLogger } from "../telemetry/logger.ts";
import { eventually } from "./eventually.ts";
import { freePort } from "./free-port.ts";

/** A broker of a test's own, with JetStream, ended when the test disposes of it. */
export interface TestNats extends AsyncDisposable {
  readonly url: string;
  /** The folder that it stores in. */
  readonly store: string;
  /** Connects to it, and closes the connection with it. */
  connect(name?: string): Promise<NatsConnection>;
  /** Starts it again: same port, same store. Resolves when it answers. */
  start(): Promise<void>;
  /** Ends it in order. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL. */
  kill(): Promise<void>;
  /** Ends it with SIGKILL and deletes its store. */
  wipe(): Promise<void>;
  /** Sends it a signal, as SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
}

/**
 * Starts a nats-server on a free port with a store of its own, in about 50 ms.
 *
 * @param options - `config`: settings beside address and store, as nats-server reads them (JSON); `identity`:
 * who connects, where they ask for a certificate, and may ask for the account's information
 * @throws Error when ORRERY_TEST_NATS_SERVER does not name the program
 */
export async function testNats(
  options: { config?: Record<string, unknown>; identity?: Pick<IdentityFiles, "current"> } = {},
): Promise<TestNats> {
  const program = process.env.ORRERY_TEST_NATS_SERVER;
  if (program === undefined)
    throw new Error("ORRERY_TEST_NATS_SERVER is not set: run the tests through make test");
  const port = await freePort();
  const store = mkdtempSync(join(tmpdir(), "orrery-nats-"));
  const configFile = `${store}.json`;
  writeFileSync(configFile, JSON.stringify(options.config ?? {}));
  const url = `nats://127.0.0.1:${port}`;
  const { identity } = options;
  const logger = createLogger({ service: "test", instance: "test", level: "error" });
  const connections: NatsConnection[] = [];
  const ending = new AbortController();
  let server: ChildProcess | undefined;

  async function start(): Promise<void> {
    const args = ["-c", configFile, "-a", "127.0.0.1", "-p", String(port), "-js", "-sd", store];
    const child = spawn(program ?? "", args, { stdio: "ignore" });
    server = child;
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`nats-server ended with ${child.exitCode}`);
      const probe = await connectNats({
        url,
        identity,
        name: "probe",
        logger,
        signal: AbortSignal.timeout(1_000),
      });
      // JetStream is ready a moment after the port.
      await probe.jetstreamManager();
      await probe.close();
    });
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, "exit");
    server.kill(signal);
    await ended;
  }

  await start();
  return {
    url,
    store,
    async connect(name = "test") {
      const connection = await connectNats({ url, identity, name, logger, signal: ending.signal });
      if (ending.signal.aborted) await connection.close();
      connections.push(connection);
      return connection;
    },
    start,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
    async wipe() {
      await end("SIGKILL");
      rmSync(store, { recursive: true, force: true });
    },
    signal: (signal) => send(server, signal),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await Promise.all(connections.map((connection) => connection.close()));
      await end("SIGKILL");
      rmSync(store, { recursive: true, force: true });
      rmSync(configFile, { force: true });
    },
  };
}

/** A signal is only on its way when `kill` returns: a process that is to stop is waited for, at most a second. */
function send(child: ChildProcess | undefined, signal: NodeJS.Signals): void {
  child?.kill(signal);
  if (child?.pid === undefined || signal !== "SIGSTOP") return;
  for (const end = Date.now() + 1_000; Date.now() < end; ) {
    if (/^\d+ \(.*\) T/.test(readFileSync(`/proc/${child.pid}/stat`, "utf8"))) return;
  }
}
