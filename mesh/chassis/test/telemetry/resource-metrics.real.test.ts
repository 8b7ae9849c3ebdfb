import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { connectNats } from "../../src/messaging/connection.ts";
import { createPublisher } from "../../src/messaging/publisher.ts";
import { startRelay } from "../../src/outbox/relay.ts";
import { openPool, type Pool } from "../../src/postgres/pool.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import type { TestDatabase } from "../../src/testing/test-database.ts";
import { type TestNats, testNats } from "../../src/testing/test-nats.ts";
import { systemChance, systemClock } from "../../src/time/clock.ts";
import { append, event, outboxDatabase } from "../outbox/outbox-world.ts";

const SLEEP = { name: "test.sleep", text: "select pg_sleep(0.2)" };

/** What a service's resources tell of themselves: each number is held against what was done to the resource. */
describe("the metrics of resources", () => {
  let database: TestDatabase;
  let broker: TestNats;
  beforeAll(async () => {
    [database, broker] = await Promise.all([outboxDatabase(), testNats()]);
  });
  afterAll(async () => {
    await Promise.all([database[Symbol.asyncDispose](), broker[Symbol.asyncDispose]()]);
  });

  const watchedPool = (metrics: ReturnType<typeof createMetrics>): Pool =>
    openPool({
      ...database,
      size: 1,
      applicationName: "echo-0 commands",
      statementTimeoutMs: 5_000,
      logger: quietLogger,
      metrics,
    });

  test("a pool tells what works and what waits, under its purpose and not under its replica", async () => {
    const metrics = createMetrics({ service: "echo", defaults: false });
    const pool = watchedPool(metrics);
    const work = [pool.query(SLEEP, []), pool.query(SLEEP, []), pool.query(SLEEP, [])];
    await eventually(async () => {
      const text = await metrics.registry.metrics();
      expect(text).toContain('orrery_postgres_connections{pool="commands",state="busy",service="echo"} 1');
      expect(text).toContain('orrery_postgres_connections{pool="commands",state="waiting",service="echo"} 2');
      expect(text).toContain('orrery_postgres_pool_size{pool="commands",service="echo"} 1');
    });
    await Promise.all(work);
    const after = await metrics.registry.metrics();
    expect(after).toContain('orrery_postgres_connections{pool="commands",state="idle",service="echo"} 1');
    expect(after).toContain('orrery_postgres_connections{pool="commands",state="waiting",service="echo"} 0');
    await pool.end();
  });

  test("a pool counts what the database did not do, by reason", async () => {
    const metrics = createMetrics({ service: "echo", defaults: false });
    const pool = watchedPool(metrics);
    await expect(pool.query({ name: "test.nothing", text: "select * from nothing" }, [])).rejects.toThrow();
    const deadlineMs = systemClock.monotonicMs() + 60;
    await expect(pool.query(SLEEP, [], { deadlineMs })).rejects.toThrow();
    const text = await metrics.registry.metrics();
    for (const reason of ["INTERNAL", "DEADLINE_EXCEEDED"]) {
      expect(text).toContain(
        `orrery_postgres_errors_total{pool="commands",reason="${reason}",service="echo"} 1`,
      );
    }
    await pool.end();
  });

  test("a connection to the broker tells that it is lost, and counts that it came back", async () => {
    const metrics = createMetrics({ service: "echo", defaults: false });
    const logger = quietLogger;
    const connection = await connectNats({ url: broker.url, name: "echo-0", logger, metrics });
    createPublisher(connection, metrics);
    const text = () => metrics.registry.metrics();
    expect(await text()).toContain('orrery_nats_connected{service="echo"} 1');
    expect(await text()).toContain('orrery_nats_unacknowledged{service="echo"} 0');
    await broker.kill();
    await eventually(async () => expect(await text()).toContain('orrery_nats_connected{service="echo"} 0'));
    await broker.start();
    await eventually(async () => {
      expect(await text()).toContain('orrery_nats_connected{service="echo"} 1');
      expect(await text()).toContain('orrery_nats_reconnects_total{service="echo"} 1');
    });
    await connection.close();
  });

  test("an outbox that nobody can publish tells how long its oldest event has waited", async () => {
    const metrics = createMetrics({ service: "tests", defaults: false });
    const pool = database.openPool(3);
    const never = new Promise<never>(() => undefined);
    const relay = startRelay({
      pool,
      publisher: createPublisher(never),
      service: "tests",
      instance: "tests-0",
      clock: systemClock,
      chance: systemChance,
      logger: quietLogger,
      metrics,
    });
    await append(pool, [event("a", 1, { occurredAtMs: systemClock.nowMs() - 90_000 }), event("b", 1)]);
    await eventually(async () => {
      const text = await metrics.registry.metrics();
      expect(text).toContain('orrery_outbox_pending{service="tests"} 2');
      expect(Number(/orrery_outbox_oldest_seconds\{.*\} (\S+)/.exec(text)?.[1])).toBeGreaterThanOrEqual(90);
    });
    await relay.stop();
  });
});
