import { rm } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { createPublisher } from "@orrery/mesh/messaging/publisher";
import { DEAD_LETTERS, ensureStreams, streamState } from "@orrery/mesh/messaging/streams";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { createMetrics } from "@orrery/mesh/telemetry/metrics";
import { eventually } from "@orrery/mesh/testing/eventually";
import { testNats } from "@orrery/mesh/testing/test-nats";
import { systemClock } from "@orrery/mesh/time/clock";
import type { NatsConnection } from "nats";
import { openEmbeddedReadModel } from "../../../src/adapters/embedded/embedded-read-model.ts";
import { durableOf, JOB_STREAM, streamProgress } from "../../../src/adapters/events/event-streams.ts";
import { liveEvents } from "../../../src/adapters/events/live-events.ts";
import { startProjector } from "../../../src/adapters/events/projector.ts";
import { createFreshness } from "../../../src/application/freshness.ts";
import type { LiveEvent, ReadModel } from "../../../src/application/ports.ts";
import { embeddedReadModel, heldFile } from "../../embedded-factory.ts";
import { eventText } from "../../event-factory.ts";
import { uuidAt } from "../../projection-factory.ts";

const logger = createLogger({ service: "observatory", instance: "test", level: "error" });

/** What one process does with a read model that several may share. */
function replicaOf(connection: NatsConnection, readModel: ReadModel) {
  const ended = new AbortController();
  const { signal } = ended;
  const metrics = createMetrics({ service: "observatory", defaults: false });
  const publisher = createPublisher(connection);
  const connecting = Promise.resolve(connection);
  const projector = startProjector({ connecting, publisher, readModel, logger, metrics, signal });
  const freshness = createFreshness({
    readModel,
    progress: streamProgress(connecting, () => projector.generation(), metrics),
    clock: systemClock,
    onMeasured: () => undefined,
    onFailed: () => undefined,
  });
  void freshness.run(signal);
  const stop = async () => {
    ended.abort();
    await projector.stopped;
  };
  return { connecting, publisher, metrics, freshness, stop };
}

async function projecting() {
  const nats = await testNats();
  const connection = await nats.connect("observatory");
  await ensureStreams(connection, [JOB_STREAM]);
  const { readModel, folder, ...world } = await embeddedReadModel();
  const { publisher, stop, ...replica } = replicaOf(connection, readModel);
  let published = 0;
  const publish = async (...texts: readonly string[]) => {
    const messages = texts.map((data) => {
      const subject = `orrery.events.v1.jobs.JobQueued.${published % 16}`;
      return { subject, msgId: `m-${published++}`, headers: {}, data };
    });
    const outcomes = await publisher.publishAll(messages, { ackTimeoutMs: 5_000 });
    expect(outcomes.map(({ status }) => status)).toEqual(messages.map(() => "ok"));
  };
  return {
    ...replica,
    connection,
    readModel,
    folder,
    publish,
    async [Symbol.asyncDispose]() {
      await stop();
      await world[Symbol.asyncDispose]();
      await nats[Symbol.asyncDispose]();
    },
  };
}

function queued(number: number) {
  const timeMs = systemClock.nowMs();
  const id = uuidAt(timeMs, number);
  return { id, text: eventText({ id, version: 1, name: "JobQueued", timeMs }) };
}

describe("the projector", () => {
  test("stores what is published, and the answers become as fresh as that", async () => {
    await using world = await projecting();
    const jobs = Array.from({ length: 1_200 }, (_, number) => queued(number + 1));
    await world.publish(...jobs.map(({ text }) => text));
    const publishedMs = systemClock.nowMs();
    await eventually(() => expect(world.freshness.read().asOfMs).toBeGreaterThan(publishedMs));
    const counted = await world.readModel.count(
      { kind: "job", project: "demo", filter: { is: "everything" } },
      2_000,
    );
    expect(counted).toBe(1_200);
  });

  test("an event that cannot be read goes to the dead letters, and no other waits for it", async () => {
    await using world = await projecting();
    const job = queued(1);
    await world.publish("{", job.text, eventText({ id: job.id, version: 2, name: "JobPaused", timeMs: 1 }));
    await eventually(async () =>
      expect((await world.readModel.find("job", "demo", job.id))?.version).toBe(1),
    );
    await eventually(async () => {
      expect((await streamState(world.connection, DEAD_LETTERS))?.messages).toBe(2);
    });
  });

  test("a read model that is taken away is filled again by itself", async () => {
    await using world = await projecting();
    const jobs = [1, 2, 3].map(queued);
    await world.publish(...jobs.map(({ text }) => text));
    const last = jobs[2]?.id ?? "";
    await eventually(async () => expect(await world.readModel.find("job", "demo", last)).toBeDefined());
    await rm(world.folder, { recursive: true });
    await eventually(async () => {
      const found = await Promise.all(jobs.map(({ id }) => world.readModel.find("job", "demo", id)));
      expect(found.map((job) => job?.version)).toEqual([1, 1, 1]);
      expect(await world.readModel.check()).toMatchObject({ writer: true });
    });
    const next = queued(4);
    await world.publish(next.text);
    await eventually(async () => expect(await world.readModel.find("job", "demo", next.id)).toBeDefined());
  });

  test("a generation that is no more keeps no lag, at the writer and at a replica that stands by", async () => {
    await using world = await projecting();
    const readModel = openEmbeddedReadModel({ folder: world.folder });
    await using scope = new AsyncDisposableStack();
    scope.defer(() => readModel.close());
    const standby = replicaOf(world.connection, readModel);
    scope.defer(standby.stop);
    await world.publish(queued(1).text);
    const bothShow = (generation: string) =>
      eventually(async () => {
        for (const { metrics } of [world, standby]) {
          const page = await metrics.registry.metrics();
          const series = page.match(/^orrery_consumer_lag\{consumer="observatory-jobs-.*(?=\} )/gm);
          expect(series).toEqual([expect.stringContaining(durableOf(JOB_STREAM, generation))]);
        }
      });
    await bothShow((await readModel.check()).generation);
    await rm(world.folder, { recursive: true });
    await bothShow((await readModel.check()).generation);
  });

  test("a replica that stands by shows the same lag as the writer, and dead letters of its own", async () => {
    await using world = await projecting();
    const readModel = openEmbeddedReadModel({ folder: world.folder });
    await using scope = new AsyncDisposableStack();
    scope.defer(() => readModel.close());
    const standby = replicaOf(world.connection, readModel);
    scope.defer(standby.stop);
    const shown = async ({ metrics }: Pick<typeof world, "metrics">) => {
      const page = await metrics.registry.metrics();
      const series = /^(orrery_consumer_lag|orrery_dead_letters_total)\{consumer="observatory-jobs-.* \d+$/gm;
      return (page.match(series) ?? []).map((line) => line.replace(/\{.*\}/, ""));
    };
    const bothShow = (lag: number) =>
      eventually(async () => {
        for (const replica of [world, standby]) {
          expect(await shown(replica)).toEqual([`orrery_consumer_lag ${lag}`, "orrery_dead_letters_total 0"]);
        }
      });
    await bothShow(0);
    using held = heldFile(world.folder);
    await world.publish(...[1, 2, 3].map((number) => queued(number).text));
    await bothShow(3);
    held.letGo();
    await bothShow(0);
  });
});

describe("the live feed", () => {
  test("hands over what is published, and tells when the connection was lost", async () => {
    await using world = await projecting();
    const live = liveEvents(world.connecting, { clock: systemClock, logger });
    const seen: (LiveEvent | "lost")[] = [];
    const before = queued(1);
    await world.publish(before.text);
    using first = await live.subscribe((event) => seen.push(event));
    expect(first.sinceMs).toBeLessThan(systemClock.nowMs() - 5_000);
    const after = queued(2);
    await world.publish(after.text);
    const jobOf = (event: LiveEvent | "lost") => (event === "lost" ? event : event.keys.keywords.id);
    await eventually(() => expect(seen.map(jobOf)).toEqual([before.id, after.id]));
    const late: (LiveEvent | "lost")[] = [];
    using _second = await live.subscribe((event) => late.push(event));
    await eventually(() => expect(late.map(jobOf)).toEqual([before.id, after.id]));
    await world.connection.reconnect();
    await eventually(() => expect(seen.at(-1)).toBe("lost"));
  });
});
