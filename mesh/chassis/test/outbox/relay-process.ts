// A relay as a process of its own, for tests that kill it. Arguments: database URL, broker URL, instance.
import { connectNats } from "../../src/messaging/connection.ts";
import { createPublisher } from "../../src/messaging/publisher.ts";
import { startRelay } from "../../src/outbox/relay.ts";
import { openPool } from "../../src/postgres/pool.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import { systemChance, systemClock } from "../../src/time/clock.ts";

const [database = "", broker = "", instance = ""] = process.argv.slice(2);
const { hostname, port, username, pathname } = new URL(database);
const pool = openPool({
  ...{ host: hostname, port: Number(port), role: username, database: pathname.slice(1), size: 3 },
  ...{ applicationName: instance, statementTimeoutMs: 5_000, logger: quietLogger },
});
const relay = startRelay({
  ...{ pool, service: "tests", instance, logger: quietLogger, clock: systemClock, chance: systemChance },
  publisher: createPublisher(connectNats({ url: broker, name: instance, logger: quietLogger })),
  metrics: createMetrics({ service: "tests", defaults: false }),
  termSeconds: 1,
});
setInterval(() => process.stdout.write(relay.isLeader() ? "leads\n" : "waits\n"), 20);
