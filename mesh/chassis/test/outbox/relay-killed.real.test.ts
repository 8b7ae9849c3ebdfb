import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { streamState } from "../../src/messaging/streams.ts";
import type { Pool } from "../../src/postgres/pool.ts";
import { eventually } from "../../src/testing/eventually.ts";
import type { TestDatabase } from "../../src/testing/test-database.ts";
import { type TestNats, testNats } from "../../src/testing/test-nats.ts";
import { append, event, idOf, outboxDatabase, pendingCount } from "./outbox-world.ts";
import { storedMessages } from "./stream-reader.ts";

const STREAM = "ORRERY_TESTS";
const PROGRAM = fileURLToPath(new URL("relay-process.ts", import.meta.url));

let database: TestDatabase;
let nats: TestNats;
let pool: Pool;
let scope: AsyncDisposableStack;

beforeEach(async () => {
  scope = new AsyncDisposableStack();
  database = scope.use(await outboxDatabase());
  nats = scope.use(await testNats());
  pool = database.openPool(4);
});
afterEach(() => scope.disposeAsync());

/** Starts a relay and resolves once it has spoken; `leads` tells what it said last. */
async function relayProcess(instance: string): Promise<{ child: ChildProcess; leads(): boolean }> {
  const url = `postgres://${database.role}@${database.host}:${database.port}/${database.database}`;
  const child = spawn(process.execPath, [PROGRAM, url, nats.url, instance], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  scope.defer(() => void child.kill("SIGKILL"));
  let last = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    last = chunk.toString().trim().split("\n").at(-1) ?? "";
  });
  await eventually(() => expect(last).not.toBe(""), { withinMs: 20_000 });
  return { child, leads: () => last === "leads" };
}

/** Every aggregate's first occurrences in the stream are its versions in order. */
async function expectWhole(aggregates: readonly string[], versions: number): Promise<void> {
  const stored = await storedMessages(await nats.connect(), STREAM);
  const ids = [...new Set(stored.map(({ msgId }) => msgId))];
  const expected = Array.from({ length: versions }, (_, index) => index + 1);
  for (const aggregate of aggregates) {
    const seen = ids.filter((id) => id.startsWith(idOf(aggregate))).map((id) => Number(id.split(":")[1]));
    expect(seen).toEqual(expected);
  }
}

describe("a relay process", () => {
  test("killed again and again while it publishes loses nothing, and stores nothing twice", async () => {
    const aggregates = Array.from({ length: 200 }, (_, index) => `a${index}`);
    for (let version = 1; version <= 60; version += 1) {
      await append(
        pool,
        aggregates.map((aggregate) => event(aggregate, version)),
      );
    }
    let landed = 0;
    for (let kill = 0; kill < 4; kill += 1) {
      const before = await pendingCount(pool);
      const { child } = await relayProcess("relay-0");
      await eventually(async () => expect(await pendingCount(pool)).toBeLessThan(before));
      child.kill("SIGKILL");
      await once(child, "exit");
      if ((await pendingCount(pool)) > 0) landed += 1;
    }
    expect(landed).toBeGreaterThan(0);
    await relayProcess("relay-0");
    await eventually(async () => expect(await pendingCount(pool)).toBe(0), { withinMs: 20_000 });
    await expectWhole(aggregates, 60);
    expect((await streamState(await nats.connect(), STREAM))?.messages).toBe(12_000);
  }, 60_000);

  test("paused beyond its term is replaced, and does no harm when it goes on", async () => {
    const paused = await relayProcess("relay-0");
    await eventually(() => expect(paused.leads()).toBe(true));
    const next = await relayProcess("relay-1");
    expect(next.leads()).toBe(false);
    paused.child.kill("SIGSTOP");
    await append(pool, [event("a", 1), event("a", 2)]);
    await eventually(() => expect(next.leads()).toBe(true));
    await eventually(async () => expect(await pendingCount(pool)).toBe(0));
    paused.child.kill("SIGCONT");
    await append(pool, [event("a", 3)]);
    await eventually(async () => expect(await pendingCount(pool)).toBe(0));
    await eventually(() => expect([paused.leads(), next.leads()]).toEqual([false, true]));
    await expectWhole(["a"], 3);
    expect((await streamState(await nats.connect(), STREAM))?.messages).toBe(3);
  }, 60_000);
});
