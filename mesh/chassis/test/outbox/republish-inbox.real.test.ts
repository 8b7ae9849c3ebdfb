import { expect, test } from "@jest/globals";
import { createPublisher } from "../../src/messaging/publisher.ts";
import { startRelay } from "../../src/outbox/relay.ts";
import { republishInbox } from "../../src/outbox/republish-inbox.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import { testNats } from "../../src/testing/test-nats.ts";
import { systemChance, systemClock } from "../../src/time/clock.ts";
import { append, event, nameOf, outboxDatabase, pendingCount } from "./outbox-world.ts";
import { storedMessages } from "./stream-reader.ts";

const STREAM = "ORRERY_TESTS";

test("what was taken out of the middle of a stream unseen comes again, beside all that is still there", async () => {
  await using scope = new AsyncDisposableStack();
  const database = scope.use(await outboxDatabase());
  const nats = scope.use(await testNats());
  const pool = database.openPool(2);
  const connection = await nats.connect();
  const publisher = createPublisher(connection);
  const published = async () => {
    const relay = startRelay({
      ...{ pool: database.openPool(3), service: "tests", instance: "relay", publisher },
      ...{ metrics: createMetrics({ service: "tests", defaults: false }), logger: quietLogger },
      ...{ clock: systemClock, chance: systemChance, termSeconds: 1 },
    });
    try {
      await eventually(async () => expect(await pendingCount(pool)).toBe(0));
    } finally {
      await relay.stop();
    }
    return (await storedMessages(connection, STREAM)).map(({ msgId }) => msgId);
  };
  const [first, second, third] = [nameOf("a", 1), nameOf("a", 2), nameOf("a", 3)];
  await append(pool, [event("a", 1), event("a", 2), event("a", 3)]);
  expect(await published()).toEqual([first, second, third]);
  await (await connection.jetstreamManager()).streams.deleteMessage(STREAM, 2);
  const inbox = republishInbox({ pool, publisher, service: "tests", logger: quietLogger });
  const answer = await inbox["/outbox/republish"]?.take(Buffer.alloc(0));
  expect(answer).toEqual({ status: 200, text: "3 events are published again" });
  expect(await published()).toEqual([first, third, first, second, third]);
});
