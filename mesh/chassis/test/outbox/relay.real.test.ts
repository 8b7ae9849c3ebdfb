import { cpSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { PurgeOpts } from "nats";
import { createPublisher } from "../../src/messaging/publisher.ts";
import { ensureStreams, streamState } from "../../src/messaging/streams.ts";
import { type Relay, type RelayOptions, startRelay } from "../../src/outbox/relay.ts";
import {
  KEEP_PARTITIONS,
  type PendingEvent,
  READ_PENDING,
  SETTLE_PENDING,
} from "../../src/outbox/relay-statements.ts";
import { RelayTerm } from "../../src/outbox/relay-term.ts";
import { republish } from "../../src/outbox/republish.ts";
import type { Pool } from "../../src/postgres/pool.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import type { TestDatabase } from "../../src/testing/test-database.ts";
import { type TestNats, testNats } from "../../src/testing/test-nats.ts";
import { systemChance, systemClock } from "../../src/time/clock.ts";
import { wait } from "../../src/time/wait.ts";
import { append, event, idOf, nameOf, outboxDatabase, pendingCount } from "./outbox-world.ts";
import { storedMessages } from "./stream-reader.ts";

const STREAM = "ORRERY_TESTS";
const FORGET = { name: "test.forget", text: "delete from outbox_pending" };

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

interface Started {
  relay: Relay;
  metrics: Metrics;
  value(name: string): Promise<number>;
}

async function relayOf(instance: string, options: Partial<RelayOptions> = {}): Promise<Started> {
  const metrics = createMetrics({ service: "tests", defaults: false });
  const relay = startRelay({
    ...{ pool: database.openPool(3), service: "tests", instance, metrics, logger: quietLogger },
    ...{ publisher: createPublisher(nats.connect(instance)), clock: systemClock, chance: systemChance },
    termSeconds: 1,
    ...options,
  });
  scope.defer(() => relay.stop());
  return {
    relay,
    metrics,
    value: async (name) => {
      const metric = await metrics.registry.getSingleMetric(name)?.get();
      return metric?.values[0]?.value ?? Number.NaN;
    },
  };
}

async function drained(withinMs = 20_000): Promise<void> {
  await eventually(async () => expect(await pendingCount(pool)).toBe(0), { withinMs });
}

/** What waits for the broker, in the order in which a relay would publish it. */
const waiting = (): Promise<PendingEvent[]> =>
  pool.query<PendingEvent>(READ_PENDING, [[], [], Number.MIN_SAFE_INTEGER]);

const idsOf = (aggregate: string, versions: number): string[] =>
  Array.from({ length: versions }, (_, index) => nameOf(aggregate, index + 1));

describe("a relay", () => {
  test("publishes what the service makes of a stored event, and lets go of one whose aggregate is gone", async () => {
    await append(pool, [
      event("kept", 1, { payload: "narrow" }),
      event("gone", 1),
      event("kept", 2, { payload: "narrow" }),
    ]);
    await relayOf("r", {
      render: async (events) =>
        events.map(({ aggregateId, version, payload }) =>
          aggregateId === idOf("gone")
            ? undefined
            : { envelope: `${payload} made whole ${version}`, traceparent: "rendered" },
        ),
    });
    await drained();
    const stored = await storedMessages(await nats.connect(), STREAM);
    expect(stored.map(({ text }) => text)).toEqual(["narrow made whole 1", "narrow made whole 2"]);
    expect(stored[0]?.headers.traceparent).toBe("rendered");
  });

  test("publishes every event once, byte for byte, with its CloudEvents attributes", async () => {
    const row = event("a", 1);
    await append(pool, [row, event("a", 2), event("b", 1)]);
    const { relay, value } = await relayOf("relay-0");
    await drained();
    expect(relay.isLeader()).toBe(true);
    const stored = await storedMessages(await nats.connect(), STREAM);
    expect(stored.map(({ msgId }) => msgId)).toEqual([...idsOf("a", 2), ...idsOf("b", 1)]);
    expect(stored[0]?.text).toBe(row.payload);
    expect(stored[0]?.subject).toBe(row.subject);
    expect(stored[0]?.headers).toMatchObject({
      "ce-specversion": "1.0",
      "ce-id": row.eventId,
      "ce-source": "orrery/tests",
      "ce-type": row.eventType,
      "ce-subject": idOf("a"),
      "ce-time": new Date(row.occurredAtMs).toISOString(),
      "content-type": "application/json",
      traceparent: row.traceparent,
    });
    expect(await value("orrery_outbox_published_total")).toBe(3);
    await eventually(async () => expect(await value("orrery_outbox_pending")).toBe(0));
  });

  test("loses no event of twelve writers whose transactions commit in another order than they began", async () => {
    await relayOf("relay-0");
    const writers = Array.from({ length: 12 }, (_, writer) => writer);
    const writing = database.openPool(12);
    await Promise.all(
      writers.map(async (writer) => {
        for (let version = 1; version <= 25; version += 1)
          await append(writing, [event(`w${writer}`, version)]);
      }),
    );
    await drained();
    const ids = (await storedMessages(await nats.connect(), STREAM)).map(({ msgId }) => msgId);
    expect(ids.length).toBe(300);
    for (const writer of writers) {
      expect(ids.filter((id) => id.startsWith(idOf(`w${writer}`)))).toEqual(idsOf(`w${writer}`, 25));
    }
  });

  test("O2: takes a duplicate for success after a crash between publication and delete", async () => {
    const rows = Array.from({ length: 40 }, (_, index) => event("a", index + 1));
    await append(pool, rows);
    // What a relay that was killed in between leaves behind: stored messages, and events that still wait.
    const publisher = createPublisher(await nats.connect());
    await ensureStreams(await publisher.connection, [STREAM]);
    const outcomes = await publisher.publishAll(
      rows.map((row) => ({
        subject: row.subject,
        msgId: `${row.aggregateId}:${row.aggregateVersion}`,
        headers: {},
        data: row.payload,
      })),
      { ackTimeoutMs: 5_000 },
    );
    expect(outcomes.every(({ status }) => status === "ok")).toBe(true);
    const { value } = await relayOf("relay-0");
    await drained();
    expect(await value("orrery_outbox_duplicates_total")).toBe(40);
    const state = await streamState(await nats.connect(), STREAM);
    expect(state?.messages).toBe(40);
  });

  test("O1: begins no pass while a batch of the one before is under way, not even after it failed", async () => {
    await append(
      pool,
      Array.from({ length: 700 }, (_, index) => event("many", index + 1)),
    );
    const publisher = createPublisher(nats.connect("slow"));
    const own = database.openPool(3);
    const said: string[] = [];
    const third = Promise.withResolvers<void>();
    let reads = 0;
    await relayOf("relay-0", {
      pool: {
        transaction: (work, limits) => own.transaction(work, limits),
        ping: () => own.ping(),
        end: () => own.end(),
        query: (statement, values, limits) => {
          if (statement.name !== READ_PENDING.name) return own.query(statement, values, limits);
          reads += 1;
          said.push(`read ${reads}`);
          if (reads === 3) third.resolve();
          if (reads === 2) return Promise.reject(new Error("the connection broke"));
          return own.query(statement, values, limits);
        },
      },
      publisher: {
        connection: publisher.connection,
        connections: () => publisher.connections(),
        isConnected: () => publisher.isConnected(),
        wake: (subject, word) => publisher.wake(subject, word),
        publishAll: async (messages, options) => {
          if (reads === 1) await Promise.race([third.promise, wait(1_000)]);
          const outcomes = await publisher.publishAll(messages, options);
          said.push(`published ${messages.length}`);
          return outcomes;
        },
      },
    });
    await drained();
    expect(said.slice(0, 4)).toEqual(["read 1", "read 2", "published 500", "read 3"]);
  });

  test("O1: holds back an aggregate whose event is refused, and lets all others pass", async () => {
    const tooBig = JSON.stringify("x".repeat(1_100_000));
    await append(pool, [event("big", 1, { payload: tooBig }), event("big", 2), event("a", 1), event("b", 1)]);
    await relayOf("relay-0");
    await eventually(async () => expect(await pendingCount(pool)).toBe(2));
    await append(pool, [event("a", 2)]);
    await eventually(async () => expect(await pendingCount(pool)).toBe(2));
    const ids = (await storedMessages(await nats.connect(), STREAM)).map(({ msgId }) => msgId);
    expect(ids).toEqual(expect.arrayContaining([...idsOf("a", 2), ...idsOf("b", 1)]));
    const status = {
      name: "test.status",
      text: "select status, retry_count > 0 as tried from outbox_status order by 1",
    };
    expect(await pool.query(status, [])).toEqual(
      expect.arrayContaining([
        { status: "FAILED", tried: true },
        { status: "SENT", tried: false },
      ]),
    );
  });

  test("O1: lets everything pass that was noted together with an event that is refused", async () => {
    const tooBig = { payload: JSON.stringify("x".repeat(1_100_000)) };
    const others = Array.from({ length: 120 }, (_, index) => event(`n${index}`, 1));
    await append(pool, [
      ...others.slice(0, 25),
      event("big", 1, tooBig),
      ...others.slice(25),
      event("big", 2),
    ]);
    await relayOf("relay-0");
    await eventually(async () => expect(await pendingCount(pool)).toBe(2));
    const ids = (await storedMessages(await nats.connect(), STREAM)).map(({ msgId }) => msgId);
    const wanted = others.map(({ aggregateId }) => `${aggregateId}:1`);
    expect(ids.filter((id) => !id.startsWith(idOf("big")))).toEqual(wanted);
    expect((await waiting()).map(({ aggregateId, version }) => `${aggregateId}:${version}`)).toEqual(
      idsOf("big", 2),
    );
  });

  test("lets go of an event that the outbox does not hold any more", async () => {
    await append(pool, [event("a", 1), event("b", 1)]);
    const gone = { name: "test.gone", text: "delete from outbox where aggregate_id = $1" };
    await pool.query(gone, [idOf("b")]);
    await relayOf("relay-0");
    await drained();
    const ids = (await storedMessages(await nats.connect(), STREAM)).map(({ msgId }) => msgId);
    expect(ids).toEqual(idsOf("a", 1));
  });

  test("publishes what was written before there was a broker", async () => {
    await nats.stop();
    await append(pool, [event("a", 1)]);
    const connecting = nats.connect("relay-0");
    await relayOf("relay-0", { publisher: createPublisher(connecting) });
    await nats.start();
    await drained();
  });
});

describe("two relays", () => {
  test("never publish at once, and the second takes over when the first stops", async () => {
    const first = await relayOf("relay-0");
    await eventually(() => expect(first.relay.isLeader()).toBe(true));
    const second = await relayOf("relay-1");
    await append(pool, [event("a", 1)]);
    second.relay.wake();
    await drained();
    expect([first.relay.isLeader(), second.relay.isLeader()]).toEqual([true, false]);
    await first.relay.stop();
    await eventually(() => expect(second.relay.isLeader()).toBe(true), { withinMs: 3_000 });
    await append(pool, [event("a", 2)]);
    await drained();
    expect(await second.value("orrery_outbox_published_total")).toBe(1);
  });

  test("tell each other of what they commit: who publishes need not look for it", async () => {
    const first = await relayOf("relay-0", { pollMs: 600_000 });
    await eventually(() => expect(first.relay.isLeader()).toBe(true));
    const second = await relayOf("relay-1");
    for (const version of [1, 2, 3]) {
      await append(pool, [event("a", version)]);
      // The first time it may not listen yet.
      await eventually(async () => {
        second.relay.wake();
        expect(await pendingCount(pool)).toBe(0);
      });
    }
    expect(await first.value("orrery_outbox_published_total")).toBe(3);
  });

  test("O3: the one whose term has ended takes nothing away", async () => {
    await append(pool, [event("a", 1), event("b", 1)]);
    const term = (holder: string, instance: string): RelayTerm =>
      new RelayTerm({ pool, clock: systemClock, holder, instance, termMs: 300 });
    const paused = term("paused", "relay-0");
    expect(await paused.acquire()).toBe(true);
    const next = term("next", "relay-1");
    await eventually(async () => expect(await next.acquire()).toBe(true));
    const [row] = await waiting();
    const settle = (by: RelayTerm, whole: unknown[], single: unknown[][]) =>
      pool.query(SETTLE_PENDING, [whole, by.holder, by.number, ...single]);
    const narrow = (by: RelayTerm) => settle(by, [], [[row?.seq], [idOf("a")], [1]]);
    const remove = (by: RelayTerm) => settle(by, [row?.seq], [[], [], []]);
    expect(await narrow(paused)).toEqual([{ held: false }]);
    expect(await remove(paused)).toEqual([{ held: false }]);
    expect(await pendingCount(pool)).toBe(2);
    expect(paused.isHeld()).toBe(false);
    await next.renew();
    expect(await narrow(next)).toEqual([{ held: true }]);
    // Carried out once more, late, it takes nothing else away.
    expect(await narrow(next)).toEqual([{ held: true }]);
    expect(await pendingCount(pool)).toBe(1);
    expect(await remove(next)).toEqual([{ held: true }]);
    expect(await pendingCount(pool)).toBe(0);
    expect([paused.number, next.number]).toEqual([1, 2]);
  });

  test("a process that is started again takes its own term at once", async () => {
    const term = (holder: string): RelayTerm =>
      new RelayTerm({ pool, clock: systemClock, holder, instance: "relay-0", termMs: 60_000 });
    const killed = term("killed");
    expect(await killed.acquire()).toBe(true);
    expect(await term("restarted").acquire()).toBe(true);
    await killed.renew();
    expect(killed.isHeld()).toBe(false);
  });
});

describe("O4: a broker", () => {
  test("killed and started again under load gets every event, in order", async () => {
    const { relay } = await relayOf("relay-0");
    const writing = (async () => {
      for (let version = 1; version <= 400; version += 1) {
        await append(pool, [event("a", version), event("b", version)]);
        relay.wake();
        if (version === 150) void nats.kill();
        if (version === 300) await nats.start();
      }
    })();
    await writing;
    await drained();
    const ids = (await storedMessages(await nats.connect(), STREAM)).map(({ msgId }) => msgId);
    expect(ids.filter((id) => id.startsWith(idOf("a")))).toEqual(idsOf("a", 400));
    expect(ids.filter((id) => id.startsWith(idOf("b")))).toEqual(idsOf("b", 400));
  });

  test("whose store was wiped gets everything again, with what came meanwhile after it", async () => {
    await relayOf("relay-0");
    await append(
      pool,
      Array.from({ length: 700 }, (_, index) => event("a", index + 1)),
    );
    await drained();
    await nats.wipe();
    await append(pool, [event("a", 701)]);
    await nats.start();
    await eventually(async () => {
      const state = await streamState(await nats.connect(), STREAM);
      expect(state?.messages).toBe(701);
    });
    await drained();
    const ids = (await storedMessages(await nats.connect(), STREAM)).map(({ msgId }) => msgId);
    expect(ids).toEqual(idsOf("a", 701));
  });

  test("that comes back from an older disk gets what it lost", async () => {
    const { relay } = await relayOf("relay-0");
    await append(pool, [event("a", 1), event("a", 2)]);
    await drained();
    await nats.stop();
    cpSync(nats.store, `${nats.store}-older`, { recursive: true });
    await nats.start();
    await append(pool, [event("a", 3), event("a", 4)]);
    relay.wake();
    await drained();
    await nats.kill();
    rmSync(nats.store, { recursive: true });
    cpSync(`${nats.store}-older`, nats.store, { recursive: true });
    rmSync(`${nats.store}-older`, { recursive: true });
    await nats.start();
    await eventually(async () => {
      const ids = (await storedMessages(await nats.connect(), STREAM)).map(({ msgId }) => msgId);
      expect(ids).toEqual(expect.arrayContaining(idsOf("a", 4)));
    });
  });

  test("whose stream was deleted by hand gets everything again", async () => {
    await relayOf("relay-0");
    await append(pool, [event("a", 1), event("a", 2)]);
    await drained();
    const connection = await nats.connect();
    const manager = await connection.jetstreamManager();
    await manager.streams.delete(STREAM);
    await eventually(async () => expect((await streamState(connection, STREAM))?.messages).toBe(2), {
      withinMs: 25_000,
    });
  });
});

describe("O4: a stream", () => {
  const publishedAgain = async (wanted: readonly string[]): Promise<void> => {
    await eventually(
      async () => {
        const ids = (await storedMessages(await nats.connect(), STREAM)).map(({ msgId }) => msgId);
        expect(new Set(ids)).toEqual(new Set(wanted));
      },
      { withinMs: 20_000 },
    );
  };

  test.each<readonly [string, PurgeOpts | undefined]>([
    ["whole", undefined],
    ["in part", { keep: 2 }],
    ["from its middle", { filter: "orrery.events.v1.tests.ThingChanged.1" }],
  ])("purged %s a moment after everything was published gets it again", async (_how, options) => {
    const { relay } = await relayOf("relay-0");
    const elsewhere = { subject: "orrery.events.v1.tests.ThingChanged.1" };
    await append(pool, [event("a", 1), event("b", 1, elsewhere), event("b", 2, elsewhere), event("a", 2)]);
    await drained();
    const manager = await (await nats.connect()).jetstreamManager();
    await manager.streams.purge(STREAM, options);
    await append(pool, [event("a", 3)]);
    relay.wake();
    await publishedAgain([...idsOf("a", 3), ...idsOf("b", 2)]);
    await drained();
    // The broker recognises duplicates again, as declared.
    expect((await manager.streams.info(STREAM)).config.duplicate_window).toBe(120e9);
  });

  test("purged while no relay ran gets everything again", async () => {
    const { relay } = await relayOf("relay-0");
    await append(pool, [event("a", 1), event("a", 2)]);
    await drained();
    await relay.stop();
    const manager = await (await nats.connect()).jetstreamManager();
    await manager.streams.purge(STREAM);
    await append(pool, [event("a", 3)]);
    await relayOf("relay-1");
    await publishedAgain(idsOf("a", 3));
  });
});

describe("republish", () => {
  const noted = async (): Promise<number[]> => (await waiting()).map(({ version }) => version);

  test("notes old events before new ones, and each of them once", async () => {
    await append(pool, [event("a", 1), event("a", 2)]);
    await pool.query(FORGET, []);
    expect(await republish({ pool, fromMs: systemClock.nowMs() + 1_000 })).toEqual({ events: 0 });
    await append(pool, [event("a", 3)]);
    expect(await republish({ pool })).toEqual({ events: 3 });
    expect(await republish({ pool })).toEqual({ events: 3 });
    expect(await noted()).toEqual([1, 2, 3]);
  });

  test("keeps versions in order from whatever moment it begins, and whatever their times say", async () => {
    const nowMs = systemClock.nowMs();
    const ago = (seconds: number) => ({ occurredAtMs: nowMs - seconds * 1_000 });
    await append(pool, [event("a", 1, ago(10)), event("a", 2, ago(3)), event("a", 3, ago(5))]);
    await append(pool, [event("a", 4, ago(0))]);
    for (const seconds of [4, 1, 7]) {
      expect(await republish({ pool, fromMs: nowMs - seconds * 1_000 })).toEqual({ events: 4 });
      expect(await noted()).toEqual([1, 2, 3, 4]);
    }
  });
});

test("a day of events that still wait is not dropped with its age", async () => {
  const oldMs = systemClock.nowMs() - 20 * 86_400_000;
  const day = new Date(oldMs).toISOString().slice(0, 10);
  const next = new Date(oldMs + 86_400_000).toISOString().slice(0, 10);
  const table = `outbox_${day.replaceAll("-", "")}`;
  await pool.transaction((tx) =>
    tx.exec(`create table ${table} partition of outbox for values from ('${day}Z') to ('${next}Z')`),
  );
  await append(pool, [event("a", 1, { occurredAtMs: oldMs })]);
  expect(await pool.query(KEEP_PARTITIONS, [7, 8])).toEqual([{ made: 0, dropped: 0 }]);
  await pool.query(FORGET, []);
  expect(await pool.query(KEEP_PARTITIONS, [7, 8])).toEqual([{ made: 0, dropped: 1 }]);
});

test("partitions are made for the days ahead, and dropped with their age", async () => {
  const partitions = {
    name: "test.partitions",
    text: "select relname from pg_class where relname ~ '^outbox_\\d{8}$' order by 1",
  };
  expect((await pool.query(partitions, [])).length).toBe(8);
  await pool.transaction((tx) =>
    tx.exec(
      "create table outbox_20200101 partition of outbox for values from ('2020-01-01') to ('2020-01-02')",
    ),
  );
  const keep = {
    name: "test.keep",
    text: "select drop_day_partitions('outbox', interval '8 days') as dropped",
  };
  expect(await pool.query(keep, [])).toEqual([{ dropped: 1 }]);
  const ahead = { name: "test.ahead", text: "select ensure_day_partitions('outbox', 9) as made" };
  expect(await pool.query(ahead, [])).toEqual([{ made: 2 }]);
});
