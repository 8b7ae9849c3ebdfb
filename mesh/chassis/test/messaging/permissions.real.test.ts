import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { NatsConnection } from "nats";
import { type Authority, bundleOf, createAuthority, issueLeaf, spiffeId } from "../../src/identity/dev-ca.ts";
import type { IdentityFiles } from "../../src/identity/identity-files.ts";
import { connectNats } from "../../src/messaging/connection.ts";
import { startConsumer } from "../../src/messaging/consumer.ts";
import { createPublisher } from "../../src/messaging/publisher.ts";
import { DEAD_LETTERS, ensureStreams } from "../../src/messaging/streams.ts";
import { subscribeWake } from "../../src/messaging/wake.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "../../src/testing/eventually.ts";
import { quietLogger } from "../../src/testing/quiet-logger.ts";
import { type TestNats, testNats } from "../../src/testing/test-nats.ts";
import { systemClock } from "../../src/time/clock.ts";
import { storedMessages } from "../outbox/stream-reader.ts";

type Identity = Pick<IdentityFiles, "current">;

const STREAM = "ORRERY_TESTS";
const keeps = (stream: string): string[] =>
  ["INFO", "CREATE", "UPDATE"].map((verb) => `$JS.API.STREAM.${verb}.${stream}`);

/** What the docstrings of relay, publisher and consumer say that a user needs, and nothing else. */
const USERS = {
  administrator: { publish: ["$JS.>"], subscribe: ["_INBOX.>"] },
  writer: {
    publish: ["orrery.events.v1.tests.>", "orrery.wake.tests.outbox", ...keeps(STREAM)],
    subscribe: ["_INBOX.writer.>", "orrery.wake.tests.outbox"],
  },
  reader: {
    publish: [
      ...["INFO", "DELETE", "CREATE", "DURABLE.CREATE", "MSG.NEXT"].map(
        (verb) => `$JS.API.CONSUMER.${verb}.${STREAM}.reader`,
      ),
      `$JS.API.STREAM.INFO.${STREAM}`,
      `$JS.ACK.${STREAM}.reader.>`,
      ...keeps(DEAD_LETTERS),
      `orrery.dead_letters.${STREAM}.reader`,
    ],
    subscribe: ["_INBOX.reader.>"],
  },
};

let folder: string;
let authority: Authority;
let nats: TestNats;
const connections: NatsConnection[] = [];

async function identityOf(workload: string): Promise<Identity> {
  const leaf = await issueLeaf(
    authority,
    { commonName: workload, workload },
    { clock: systemClock, lifetimeMs: 600_000 },
  );
  return { current: () => ({ ...leaf, caPem: authority.certPem }) };
}

async function connectAs(workload: string): Promise<NatsConnection> {
  const identity = await identityOf(workload);
  const inboxPrefix = `_INBOX.${workload}`;
  const connection = await connectNats({
    url: nats.url,
    identity,
    name: workload,
    inboxPrefix,
    logger: quietLogger,
  });
  connections.push(connection);
  return connection;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "orrery-permissions-"));
  authority = await createAuthority({ clock: systemClock });
  const server = await issueLeaf(
    authority,
    { commonName: "nats", workload: "nats" },
    { clock: systemClock, lifetimeMs: 600_000 },
  );
  const [bundle, ca] = [join(folder, "nats.pem"), join(folder, "ca.pem")];
  writeFileSync(bundle, bundleOf(server));
  writeFileSync(ca, authority.certPem);
  nats = await testNats({
    config: {
      tls: { cert_file: bundle, key_file: bundle, ca_file: ca, verify_and_map: true },
      authorization: {
        users: Object.entries(USERS).map(([name, { publish, subscribe }]) => ({
          user: spiffeId(name),
          permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
        })),
      },
    },
    identity: await identityOf("administrator"),
  });
});
afterAll(async () => {
  await Promise.all(connections.map((connection) => connection.close()));
  await nats[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe("with the permissions that are documented and no more", () => {
  test("a writer keeps its stream and publishes, and a reader consumes and buries", async () => {
    const writer = await connectAs("writer");
    await ensureStreams(writer, [STREAM]);
    const outcomes = await createPublisher(writer).publishAll(
      [1, 2].map((id) => ({
        ...{ subject: "orrery.events.v1.tests.ThingChanged.0", msgId: `m:${id}` },
        ...{ headers: {}, data: String(id) },
      })),
      { ackTimeoutMs: 2_000 },
    );
    expect(outcomes.map(({ status }) => status)).toEqual(["ok", "ok"]);
    let rung = 0;
    subscribeWake(writer, "orrery.wake.tests.outbox", () => (rung += 1));
    const another = createPublisher(await connectAs("writer"));
    await eventually(() => {
      another.wake("orrery.wake.tests.outbox");
      expect(rung).toBeGreaterThan(0);
    });

    const reader = await connectAs("reader");
    const seen: string[] = [];
    const consumer = startConsumer({
      ...{
        nc: reader,
        stream: STREAM,
        durable: "reader",
        deadLetters: createPublisher(reader),
        logger: quietLogger,
      },
      ...{
        metrics: createMetrics({ service: "tests", defaults: false }),
        signal: new AbortController().signal,
      },
      handle: async (messages) => {
        seen.push(...messages.map((message) => message.text()));
        return messages.map((message) => (message.text() === "2" ? { deadLetter: "two" } : "done"));
      },
    });
    await eventually(() => expect([seen, consumer.lag()]).toEqual([["1", "2"], 0]));
    await consumer.stop();
    const administrator = await nats.connect();
    await eventually(async () => expect((await storedMessages(administrator, DEAD_LETTERS)).length).toBe(1));
  });

  test("a reader cannot write an event, nor a writer a dead letter", async () => {
    const message = { msgId: "x", headers: {}, data: "" };
    const options = { ackTimeoutMs: 300 };
    const byReader = createPublisher(await connectAs("reader")).publishAll(
      [{ ...message, subject: "orrery.events.v1.tests.ThingChanged.0" }],
      options,
    );
    const byWriter = createPublisher(await connectAs("writer")).publishAll(
      [{ ...message, subject: `orrery.dead_letters.${STREAM}.reader` }],
      options,
    );
    expect([...(await byReader), ...(await byWriter)].map(({ status }) => status)).toEqual([
      "failed",
      "failed",
    ]);
  });

  test("nobody connects without a certificate of the authority", async () => {
    const signal = AbortSignal.timeout(500);
    await expect(
      connectNats({ url: nats.url, name: "nobody", logger: quietLogger, signal }),
    ).rejects.toMatchObject({
      reason: "CANCELLED",
    });
  });

  test("a connection that was lost comes back with the leaf of that moment", async () => {
    const leaves = [await identityOf("writer"), await identityOf("writer")];
    const shown: string[] = [];
    let leaf = 0;
    const identity: Identity = {
      current: () => {
        const current = leaves[leaf]?.current() ?? authorityOnly();
        shown.push(current.certPem);
        return current;
      },
    };
    const connection = await connectNats({
      ...{ url: nats.url, identity, name: "writer", inboxPrefix: "_INBOX.writer", logger: quietLogger },
    });
    connections.push(connection);
    leaf = 1;
    await nats.kill();
    await nats.start();
    await eventually(() => expect(shown.at(-1)).toBe(leaves[1]?.current().certPem));
    await eventually(async () => expect(await connection.rtt()).toBeGreaterThan(0));
  });
});

function authorityOnly(): never {
  throw new Error("there is no such leaf");
}
