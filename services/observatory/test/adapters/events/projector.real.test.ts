import { rm } from "node:fs/promises";
import { describe, expect, test } from "@jest/globals";
import { createPublisher } from "@orrery/mesh/messaging/publisher";
import { DEAD_LETTERS, ensureStreams, streamState } from "@orrery/mesh/messaging/streams";
import { createLogger } from "@orrery/mesh/telemetry/logger";
import { createMetrics } from "@orrery/mesh/telemetry/metrics";
import { eventually } from "@orrery/mesh/testing/eventually";
import { testNats } from "@orrery/mesh/testing/test-nats";
import { systemClock } from "@orrery/mesh/time/clock";
import { JOB_STREAM, streamProgress } from "../../../src/adapters/events/event-streams.ts";
import { liveEvents } from "../../../src/adapters/events/live-events.ts";
import { startProjector } from "../../../src/adapters/events/projector.ts";
import { createFreshness } from "../../../src/application/freshness.ts";
import type { LiveEvent } from "../../../src/application/ports.ts";
import { embeddedReadModel } from "../../embedded-factory.ts";
import { eventText } from "../../event-factory.ts";
import { uuidAt } from "../../projection-factory.ts";

const logger = createLogger({ service: "observatory", instance: "test", level: "error" });

async function projecting() {
  const nats = await testNats();
  const connection = await nats.connect("observatory");
  await ensureStreams(connection, [JOB_STREAM]);
  const { readModel, folder, ...world } = await embeddedReadModel();
  const ended = new AbortController();
  const { signal } = ended;
  const metrics = createMetrics({ service: "observatory", defaults: false });
  const publisher = createPublisher(connection);
  const connecting = Promise.resolve(connection);
  const projector = startProjector({ connecting, publisher, readModel, logger, metrics, signal });
  const freshness = createFreshness({
    readModel,
    progress: streamProgress(connecting, () => projector.generation()),
    clock: systemClock,
    onMeasured: () => undefined,
    onFailed: () => undefined,
  });
  void freshness.run(signal);
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
    connection,
    connecting,
    readModel,
    folder,
    freshness,
    publish,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await projector.stopped;
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
