import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { connectNats } from "../../src/messaging/connection.ts";
import { createPublisher, type OutMessage } from "../../src/messaging/publisher.ts";
import { DEAD_LETTERS, ensureStreams, streamState } from "../../src/messaging/streams.ts";
import { subscribeWake } from "../../src/messaging/wake.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import { type TestNats, testNats } from "../../src/testing/test-nats.ts";

const STREAM = "ORRERY_TESTS";

let nats: TestNats;
beforeEach(async () => {
  nats = await testNats();
});
afterEach(async () => {
  await nats[Symbol.asyncDispose]();
});

const message = (id: number, subject = "orrery.events.v1.tests.ThingChanged.0"): OutMessage => ({
  subject,
  msgId: `m:${id}`,
  headers: { kind: "test" },
  data: `${id}`,
});

describe("a publisher", () => {
  test("tells stored, duplicate and refused messages of one batch apart", async () => {
    const connection = await nats.connect();
    await ensureStreams(connection, [STREAM]);
    const publisher = createPublisher(connection);
    const options = { ackTimeoutMs: 2_000 };
    await publisher.publishAll([message(1)], options);
    const outcomes = await publisher.publishAll(
      [
        message(1),
        message(2),
        message(3, "orrery.nowhere"),
        { ...message(4), data: new Uint8Array(2_000_000) },
        { ...message(5), headers: { broken: "a\r\nb" } },
      ],
      options,
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["duplicate", "ok", "failed", "failed", "failed"]);
    expect(outcomes.slice(0, 2)).toMatchObject([{ sequence: 1 }, { sequence: 2 }]);
    expect(await publisher.publishAll([], options)).toEqual([]);
  });

  test("fails what is under way when the broker is killed, and everything while it is away", async () => {
    const connection = await nats.connect();
    await ensureStreams(connection, [STREAM]);
    const publisher = createPublisher(connection);
    nats.signal("SIGSTOP");
    const underWay = publisher.publishAll([message(1)], { ackTimeoutMs: 20_000 });
    await nats.kill();
    expect(await underWay).toMatchObject([{ status: "failed", reason: "the connection was lost" }]);
    expect(await publisher.publishAll([message(1)], { ackTimeoutMs: 20_000 })).toMatchObject([
      { status: "failed", reason: "there is no connection" },
    ]);
    await nats.start();
    await eventually(() => expect(publisher.isConnected()).toBe(true));
    expect(publisher.connections()).toBe(2);
    expect(await publisher.publishAll([message(1)], { ackTimeoutMs: 2_000 })).toMatchObject([
      { status: "ok" },
    ]);
  });

  test("gives up on a silent broker after the time it was given", async () => {
    const connection = await nats.connect();
    await ensureStreams(connection, [STREAM]);
    const publisher = createPublisher(connection);
    nats.signal("SIGSTOP");
    const outcomes = await publisher.publishAll([message(1)], { ackTimeoutMs: 200 });
    expect(outcomes).toMatchObject([{ status: "failed", reason: "no acknowledgement in time" }]);
    nats.signal("SIGCONT");
  });

  test("wakes who listens, across connections, and receives under its own inbox prefix", async () => {
    const own = await connectNats({
      url: nats.url,
      name: "own",
      inboxPrefix: "_INBOX.own",
      logger: quietLogger,
    });
    await ensureStreams(own, [STREAM]);
    const publisher = createPublisher(own);
    expect(await publisher.publishAll([message(1)], { ackTimeoutMs: 2_000 })).toMatchObject([
      { status: "ok" },
    ]);
    const heard: string[] = [];
    const stop = subscribeWake(nats.connect(), "orrery.wake.tests.>", (subject) => heard.push(subject));
    await eventually(() => {
      publisher.wake("orrery.wake.tests.ready");
      expect(heard[0]).toBe("orrery.wake.tests.ready");
    });
    stop();
    await own.close();
  });
});

describe("streams", () => {
  test("are made once, brought to what is declared, and told apart when made again", async () => {
    const connection = await nats.connect();
    await Promise.all([
      ensureStreams(connection, [STREAM, DEAD_LETTERS]),
      ensureStreams(connection, [STREAM]),
    ]);
    const manager = await connection.jetstreamManager();
    const before = await manager.streams.info(STREAM);
    expect(before.config).toMatchObject({
      subjects: ["orrery.events.v1.tests.>"],
      storage: "file",
      discard: "new",
      max_age: 7 * 24 * 3_600 * 1e9,
      duplicate_window: 120 * 1e9,
    });
    expect(before.config.max_bytes).toBeGreaterThan(0);
    await manager.streams.update(STREAM, { max_age: 1e12 });
    await ensureStreams(connection, [STREAM]);
    expect((await manager.streams.info(STREAM)).config.max_age).toBe(before.config.max_age);
    await manager.streams.delete(STREAM);
    expect(await streamState(connection, STREAM)).toBeUndefined();
    await ensureStreams(connection, [STREAM]);
    expect((await streamState(connection, STREAM))?.created).not.toBe(before.created);
  });
});

test("a connection waits for a broker that starts later, and stops waiting when it is told", async () => {
  await nats.stop();
  const connecting = connectNats({ url: nats.url, name: "early", logger: quietLogger });
  const told = new AbortController();
  const given = connectNats({ url: nats.url, name: "given up", logger: quietLogger, signal: told.signal });
  told.abort();
  await expect(given).rejects.toMatchObject({ reason: "CANCELLED" });
  await nats.start();
  const connection = await connecting;
  expect(connection.isClosed()).toBe(false);
  await connection.close();
});
