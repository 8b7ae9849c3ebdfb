import { cpSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import type { NatsConnection } from "nats";
import { Fault } from "../../src/fault/fault.ts";
import {
  type Consumer,
  type ConsumerOptions,
  type InMessage,
  startConsumer,
} from "../../src/messaging/consumer.ts";
import { createPublisher, type Publisher } from "../../src/messaging/publisher.ts";
import { DEAD_LETTERS, ensureStreams, streamState } from "../../src/messaging/streams.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import { type TestNats, testNats } from "../../src/testing/test-nats.ts";
import { storedMessages } from "../outbox/stream-reader.ts";

const STREAM = "ORRERY_TESTS";
const SUBJECT = "orrery.events.v1.tests.ThingChanged.0";

let nats: TestNats;
let connection: NatsConnection;
let publisher: Publisher;
let scope: AsyncDisposableStack;

beforeEach(async () => {
  scope = new AsyncDisposableStack();
  nats = scope.use(await testNats());
  connection = await nats.connect();
  publisher = createPublisher(connection);
  await ensureStreams(connection, [STREAM]);
});
afterEach(() => scope.disposeAsync());

async function publish(from: number, to: number): Promise<void> {
  const messages = Array.from({ length: to - from + 1 }, (_, index) => ({
    subject: SUBJECT,
    msgId: `m:${from + index}`,
    headers: { "ce-type": "test" },
    data: String(from + index),
  }));
  const outcomes = await publisher.publishAll(messages, { ackTimeoutMs: 5_000 });
  expect(outcomes.filter(({ status }) => status === "failed")).toEqual([]);
}

function consume(options: Partial<ConsumerOptions> & Pick<ConsumerOptions, "handle">): Consumer & {
  deadLetterCount(): Promise<number>;
} {
  const metrics = createMetrics({ service: "tests", defaults: false });
  const consumer = startConsumer({
    ...{
      nc: connection,
      stream: STREAM,
      durable: "reader",
      deadLetters: publisher,
      logger: quietLogger,
      metrics,
    },
    ...{ signal: new AbortController().signal, backoffMs: [10] },
    ...options,
  });
  scope.defer(() => consumer.stop());
  return {
    lag: () => consumer.lag(),
    stop: () => consumer.stop(),
    deadLetterCount: async () => {
      const metric = await metrics.registry.getSingleMetric("orrery_dead_letters_total")?.get();
      return metric?.values[0]?.value ?? Number.NaN;
    },
  };
}

const done = (messages: readonly InMessage[]) => messages.map(() => "done" as const);
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("a consumer", () => {
  test("gets every message once, in order, in batches, and its lag goes to nought", async () => {
    await publish(1, 1_500);
    const seen: number[] = [];
    const sizes: number[] = [];
    const consumer = consume({
      maxInFlightBatches: 1,
      handle: async (messages) => {
        sizes.push(messages.length);
        seen.push(...messages.map((message) => Number(message.text())));
        return done(messages);
      },
    });
    await eventually(() => expect(consumer.lag()).toBe(0));
    expect(seen).toEqual(numbers(1, 1_500));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(500);
    expect(sizes.length).toBeLessThan(300);
    await publish(1_501, 1_501);
    await eventually(() => expect(seen.at(-1)).toBe(1_501));
  });

  test("sees where a message comes from", async () => {
    const beforeMs = Date.now();
    await publish(7, 7);
    const seen: InMessage[] = [];
    consume({
      handle: async (messages) => {
        seen.push(...messages);
        return done(messages);
      },
    });
    await eventually(() => expect(seen.length).toBe(1));
    expect(seen[0]).toMatchObject({ subject: SUBJECT, streamSequence: 1, deliveries: 1 });
    expect([seen[0]?.header("ce-type"), seen[0]?.header("absent")]).toEqual(["test", undefined]);
    expect(seen[0]?.publishedAtMs).toBeGreaterThanOrEqual(beforeMs - 1);
  });

  test("C1: killed in the middle of a batch leaves it to the next, and loses nothing", async () => {
    await publish(1, 50);
    const other = await nats.connect("killed");
    const began = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    consume({
      nc: other,
      ackWaitMs: 600,
      handle: async (messages) => {
        began.resolve();
        await end.promise;
        return done(messages);
      },
    });
    await began.promise;
    await other.close();
    const seen = new Set<number>();
    consume({
      ackWaitMs: 600,
      handle: async (messages) => {
        for (const message of messages) seen.add(Number(message.text()));
        return done(messages);
      },
    });
    await eventually(() => expect([...seen].sort((a, b) => a - b)).toEqual(numbers(1, 50)));
    end.resolve();
  });

  test("C2: puts a poisonous message into the dead letters with its provenance, and the others flow", async () => {
    await publish(1, 20);
    const seen = new Set<number>();
    const consumer = consume({
      maxDeliver: 3,
      handle: async (messages) => {
        if (messages.some((message) => message.text() === "13")) throw new TypeError("cannot read 13");
        for (const message of messages) seen.add(Number(message.text()));
        return done(messages);
      },
    });
    await eventually(async () => expect(await consumer.deadLetterCount()).toBe(1));
    expect([...seen].sort((a, b) => a - b)).toEqual(numbers(1, 20).filter((number) => number !== 13));
    const [letter, ...others] = await storedMessages(connection, DEAD_LETTERS);
    expect(others).toEqual([]);
    expect(letter).toMatchObject({ subject: `orrery.dead_letters.${STREAM}.reader`, text: "13" });
    expect(letter?.headers).toMatchObject({
      "ce-type": "test",
      "Orrery-Dead-Letter-Subject": SUBJECT,
      "Orrery-Dead-Letter-Stream": STREAM,
      "Orrery-Dead-Letter-Sequence": "13",
      "Orrery-Dead-Letter-Consumer": "reader",
      "Orrery-Dead-Letter-Deliveries": "3",
      "Orrery-Dead-Letter-Message-Id": "m:13",
      "Orrery-Dead-Letter-Reason": "3 deliveries without success",
    });
    await eventually(() => expect(consumer.lag()).toBe(0));
  });

  test("gives up at once what its verdict says so of", async () => {
    await publish(1, 2);
    const consumer = consume({
      handle: async (messages) =>
        messages.map((message) => (message.text() === "1" ? { deadLetter: "unknown\ntype" } : "done")),
    });
    await eventually(async () => expect(await consumer.deadLetterCount()).toBe(1));
    const [letter] = await storedMessages(connection, DEAD_LETTERS);
    expect(letter?.headers).toMatchObject({
      "Orrery-Dead-Letter-Reason": "unknown type",
      "Orrery-Dead-Letter-Deliveries": "1",
    });
  });

  test("holds its batches while a dependency is away, and counts no delivery for it", async () => {
    await publish(1, 5);
    let calls = 0;
    const deliveries: number[] = [];
    const consumer = consume({
      maxDeliver: 2,
      ackWaitMs: 900,
      chance: { next: () => 0.9 },
      handle: async (messages) => {
        calls += 1;
        if (calls < 5) throw new Fault("DEPENDENCY_UNAVAILABLE", { detail: "away" });
        deliveries.push(...messages.map((message) => message.deliveries));
        return done(messages);
      },
    });
    await eventually(() => expect(consumer.lag()).toBe(0));
    expect(deliveries).toEqual([1, 1, 1, 1, 1]);
    expect(await consumer.deadLetterCount()).toBe(0);
  });

  test("counts no delivery of a message that a dependency was away for when it was tried alone", async () => {
    await publish(1, 3);
    let away = 3;
    const consumer = consume({
      maxDeliver: 1,
      chance: { next: () => 0.1 },
      handle: async (messages) => {
        if (messages.length > 1) throw new TypeError("cannot read these");
        away -= 1;
        if (away >= 0) throw new Fault("DEPENDENCY_UNAVAILABLE", { detail: "away" });
        return done(messages);
      },
    });
    await eventually(() => expect(consumer.lag()).toBe(0));
    expect(away).toBeLessThan(0);
    expect(await consumer.deadLetterCount()).toBe(0);
  });

  test("keeps a message in the stream while the dead letters cannot take it", async () => {
    await publish(1, 1);
    const elsewhere = await testNats();
    const away = createPublisher(await elsewhere.connect());
    await elsewhere.stop();
    let deliveries = 0;
    const consumer = consume({
      maxDeliver: 2,
      deadLetters: away,
      handle: async (messages) => {
        deliveries = messages[0]?.deliveries ?? 0;
        return ["retry"];
      },
    });
    await eventually(() => expect(deliveries).toBeGreaterThan(4));
    expect(await consumer.deadLetterCount()).toBe(0);
    await elsewhere.start();
    await eventually(async () => expect(await consumer.deadLetterCount()).toBe(1));
    await elsewhere[Symbol.asyncDispose]();
  });

  test("has the stream of dead letters there before the first, and consumes where it is refused", async () => {
    const manager = await connection.jetstreamManager();
    await manager.streams.add({ name: "OTHER", subjects: ["orrery.dead_letters.>"] });
    await publish(1, 1);
    const seen: string[] = [];
    const handle = async (messages: readonly InMessage[]) => {
      seen.push(...messages.map((message) => message.text()));
      return done(messages);
    };
    const refused = consume({ handle });
    await eventually(() => expect(seen).toEqual(["1"]));
    await refused.stop();
    expect(await streamState(connection, DEAD_LETTERS)).toBeUndefined();
    await manager.streams.delete("OTHER");
    consume({ handle });
    await eventually(async () => expect((await streamState(connection, DEAD_LETTERS))?.messages).toBe(0));
  });

  test("stops while the broker does not answer about the stream of dead letters", async () => {
    const asked = Promise.withResolvers<void>();
    const request: NatsConnection["request"] = (subject, ...rest) => {
      if (!subject.endsWith(DEAD_LETTERS)) return connection.request(subject, ...rest);
      asked.resolve();
      return new Promise(() => undefined);
    };
    const consumer = consume({
      nc: new Proxy(connection, {
        get: (target, name) => (name === "request" ? request : Reflect.get(target, name)),
      }),
      handle: async (messages) => done(messages),
    });
    await asked.promise;
    await consumer.stop();
  });

  test("gives back what it did not begin when it is stopped", async () => {
    await publish(1, 30);
    const began = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    const first = consume({
      batch: 10,
      maxInFlightBatches: 1,
      handle: async (messages) => {
        began.resolve();
        await end.promise;
        return done(messages);
      },
    });
    await began.promise;
    const stopped = first.stop();
    end.resolve();
    await stopped;
    const seen = new Set<number>();
    consume({
      handle: async (messages) => {
        for (const message of messages) seen.add(Number(message.text()));
        return done(messages);
      },
    });
    // Well before the broker's own 30 s.
    await eventually(() => expect(seen.has(30)).toBe(true), { withinMs: 5_000 });
    expect(seen.size).toBeLessThan(30);
  });
});

describe("C3: a consumer", () => {
  test("begins at the first message of a stream that was made again", async () => {
    const seen: string[] = [];
    const consumer = consume({
      handle: async (messages) => {
        seen.push(...messages.map((message) => `${message.streamSequence}:${message.text()}`));
        return done(messages);
      },
    });
    await publish(1, 3);
    await eventually(() => expect(seen).toEqual(["1:1", "2:2", "3:3"]));
    await nats.wipe();
    await nats.start();
    const fresh = await nats.connect();
    await ensureStreams(fresh, [STREAM]);
    publisher = createPublisher(fresh);
    await eventually(() => expect(publisher.isConnected()).toBe(true));
    await publish(11, 12);
    await eventually(() => expect(seen.slice(3)).toEqual(["1:11", "2:12"]));
    await eventually(() => expect(consumer.lag()).toBe(0));
    await eventually(async () => expect(await streamState(fresh, DEAD_LETTERS)).toBeDefined());
  });

  test("that is further than a stream which came back from an older disk misses nothing new", async () => {
    await publish(1, 2);
    await nats.stop();
    cpSync(nats.store, `${nats.store}-older`, { recursive: true });
    await nats.start();
    const seen: string[] = [];
    consume({
      handle: async (messages) => {
        seen.push(...messages.map((message) => message.text()));
        return done(messages);
      },
    });
    await eventually(() => expect(publisher.isConnected()).toBe(true));
    await publish(3, 6);
    await eventually(() => expect(seen.length).toBe(6));
    await nats.stop();
    cpSync(
      `${nats.store}-older/jetstream/$G/streams/${STREAM}/msgs`,
      `${nats.store}/jetstream/$G/streams/${STREAM}/msgs`,
      {
        recursive: true,
        force: true,
      },
    );
    rmSync(`${nats.store}-older`, { recursive: true });
    await nats.start();
    await eventually(() => expect(publisher.isConnected()).toBe(true));
    await publish(21, 22);
    await eventually(() => expect(seen).toEqual(expect.arrayContaining(["21", "22"])));
  });

  test("starts before there is a stream", async () => {
    const manager = await connection.jetstreamManager();
    await manager.streams.delete(STREAM);
    const seen: string[] = [];
    consume({
      handle: async (messages) => {
        seen.push(...messages.map((message) => message.text()));
        return done(messages);
      },
    });
    await ensureStreams(connection, [STREAM]);
    await publish(1, 1);
    await eventually(() => expect(seen).toEqual(["1"]));
  });
});
