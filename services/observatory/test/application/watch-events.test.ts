import { describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { fixedChance } from "@orrery/mesh/testing/fixed-chance";
import { systemClock } from "@orrery/mesh/time/clock";
import { openEmbeddedReadModel } from "../../src/adapters/embedded/embedded-read-model.ts";
import type { LiveEvent, LiveEvents, ReadModel } from "../../src/application/ports.ts";
import { type WatchFrame, watchEvents } from "../../src/application/watch-events.ts";
import { NEWEST_FIRST } from "../../src/domain/list-order.ts";
import { EVERYTHING } from "../../src/domain/query/filter.ts";
import { embeddedReadModel, heldFile } from "../embedded-factory.ts";
import { projectionOf, searchedJob, uuidAt } from "../projection-factory.ts";

const JOBS = { kind: "job", filter: EVERYTHING, order: NEWEST_FIRST, after: undefined, limit: 10 } as const;

/** What is published in this process: an event, or the word that some were lost, to everybody who listens. */
class LocalEvents implements LiveEvents {
  readonly #listeners = new Set<(event: LiveEvent | "lost") => void>();
  subscriptions = 0;

  subscribe(listener: (event: LiveEvent | "lost") => void) {
    this.subscriptions++;
    this.#listeners.add(listener);
    const sinceMs = systemClock.nowMs() - 6_000;
    return Promise.resolve({ sinceMs, [Symbol.dispose]: () => void this.#listeners.delete(listener) });
  }

  publish(event: LiveEvent | "lost"): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

function eventAt(number: number, ageMs: number, told: { project?: string; queue?: string } = {}) {
  const timeMs = systemClock.nowMs() - ageMs;
  const job = searchedJob(number, { createMs: timeMs, queue: told.queue ?? "default" });
  const projection = projectionOf(job, { project: told.project ?? "demo", eventId: uuidAt(timeMs, number) });
  const { event } = projection;
  const { project, eventId, envelope, keys } = event;
  const live: LiveEvent = { project, eventId, envelope, keys, publishedMs: systemClock.nowMs() };
  return { projection, live, eventId };
}

async function watching(fresh = { asOfMs: Number.MAX_SAFE_INTEGER, lagMs: 0 }) {
  const world = await embeddedReadModel();
  const reads = { asked: 0, answered: 0 };
  let store = world.readModel;
  const readModel: ReadModel = {
    ...world.readModel,
    searchEvents(search) {
      reads.asked++;
      return store.searchEvents(search).finally(() => reads.answered++);
    },
  };
  const live = new LocalEvents();
  const ended = new AbortController();
  const frames: WatchFrame[] = [];
  const freshness = { read: () => fresh, measure: () => Promise.resolve(), run: () => Promise.resolve() };
  const watch = watchEvents({ readModel, live, freshness, clock: systemClock, chance: fixedChance(0) });
  const begin = (q = "", lastEventId = "") => {
    const follow = async () => {
      const request = { project: "demo", q, lastEventId, signal: ended.signal };
      for await (const frame of watch(request)) frames.push(frame);
    };
    const followed = follow();
    running.push(followed);
    return followed;
  };
  const running: Promise<void>[] = [];
  const ids = () => frames.map((frame) => (frame === "reset" ? frame : frame.eventId));
  return {
    readModel: world.readModel,
    folder: world.folder,
    reads,
    reopen() {
      store = openEmbeddedReadModel({ folder: world.folder });
    },
    live,
    begin,
    ids,
    async seen(count: number) {
      await eventually(() => expect(frames.length).toBeGreaterThanOrEqual(count));
      return ids();
    },
    async subscribed(times = 1) {
      await eventually(() => expect(live.subscriptions).toBe(times));
    },
    async [Symbol.asyncDispose]() {
      ended.abort();
      await Promise.allSettled(running);
      await store.close();
      await world[Symbol.asyncDispose]();
    },
  };
}

describe("watching events", () => {
  test("a new watch gets what fits its query from now on, of its project alone", async () => {
    await using world = await watching();
    void world.begin("queue:bulk event:JobQueued");
    await world.subscribed();
    const wanted = eventAt(1, 0, { queue: "bulk" });
    for (const event of [eventAt(2, 0), eventAt(3, 0, { queue: "bulk", project: "other" }), wanted]) {
      world.live.publish(event.live);
    }
    expect(await world.seen(1)).toEqual([wanted.eventId]);
  });

  test("W1: a resume fills its gap from the store and then goes on live", async () => {
    await using world = await watching();
    const [old, last, missed] = [eventAt(1, 60_000), eventAt(2, 40_000), eventAt(3, 20_000)];
    await world.readModel.apply([old, last, missed].map(({ projection }) => projection));
    void world.begin("", last.eventId);
    expect(await world.seen(2)).toEqual([last.eventId, missed.eventId]);
    const next = eventAt(4, 0);
    world.live.publish(next.live);
    expect((await world.seen(3)).at(-1)).toBe(next.eventId);
  });

  test("W1: a resume waits for a store that is behind", async () => {
    const fresh = { asOfMs: 0, lagMs: 0 };
    await using world = await watching(fresh);
    const [last, late] = [eventAt(1, 40_000), eventAt(2, 30_000)];
    await world.readModel.apply([last.projection]);
    void world.begin("", last.eventId);
    await world.seen(1);
    await world.readModel.apply([late.projection]);
    expect(await world.seen(2)).toEqual([last.eventId, late.eventId]);
    fresh.asOfMs = Number.MAX_SAFE_INTEGER;
    const next = eventAt(3, 0);
    world.live.publish(next.live);
    expect((await world.seen(3)).at(-1)).toBe(next.eventId);
  });

  test("thirty resumes of one project keep a search of another waiting for three of their reads at most", async () => {
    await using world = await watching({ asOfMs: 0, lagMs: 0 });
    using held = heldFile(world.folder);
    const stored = world.readModel.apply([eventAt(1, 40_000).projection]);
    const last = eventAt(2, 60_000);
    for (let watch = 0; watch < 30; watch++) void world.begin("", last.eventId);
    await eventually(() => expect(world.reads.asked).toBe(30));
    const found = world.readModel.search({ ...JOBS, project: "second" });
    held.letGo();
    expect(await found).toEqual([]);
    expect(world.reads.answered).toBeLessThanOrEqual(3);
    await stored;
  });

  test("W1: a resume for which the store has no room yet comes back", async () => {
    await using world = await watching();
    const gone = new AbortController();
    using held = heldFile(world.folder);
    const [last, missed] = [eventAt(1, 40_000), eventAt(2, 30_000)];
    const stored = world.readModel.apply([last, missed].map(({ projection }) => projection));
    const gap = { project: "demo", filter: EVERYTHING, after: "", limit: 500, yields: true };
    const full = Array.from({ length: 100 }, () =>
      world.readModel.searchEvents({ ...gap, signal: gone.signal }),
    );
    void world.begin("", last.eventId);
    await eventually(() => expect(world.reads).toEqual({ asked: 1, answered: 1 }));
    gone.abort();
    await Promise.allSettled(full);
    held.letGo();
    await stored;
    expect(await world.seen(2)).toEqual([last.eventId, missed.eventId]);
  });

  test("W1: a resume outlives a store that cannot be used", async () => {
    await using world = await watching();
    const [last, missed] = [eventAt(1, 40_000), eventAt(2, 30_000)];
    await world.readModel.apply([last, missed].map(({ projection }) => projection));
    await world.readModel.close();
    void world.begin("", last.eventId);
    await eventually(() => expect(world.reads).toEqual({ asked: 1, answered: 1 }));
    world.reopen();
    expect(await world.seen(2)).toEqual([last.eventId, missed.eventId]);
  });

  test("W2: an event that comes from the store and live is sent once", async () => {
    await using world = await watching();
    const [last, both] = [eventAt(1, 3_000), eventAt(2, 1_000)];
    await world.readModel.apply([last.projection, both.projection]);
    void world.begin("", last.eventId);
    await world.subscribed();
    world.live.publish(both.live);
    const after = eventAt(3, 0);
    world.live.publish(after.live);
    expect(await world.seen(3)).toEqual([last.eventId, both.eventId, after.eventId]);
  });

  test("W3: when live events were lost the gap is filled from the store", async () => {
    await using world = await watching();
    void world.begin();
    await world.subscribed();
    const first = eventAt(1, 0);
    world.live.publish(first.live);
    await world.seen(1);
    const missed = eventAt(2, 0);
    await world.readModel.apply([first.projection, missed.projection]);
    world.live.publish("lost");
    await world.subscribed(2);
    expect(await world.seen(2)).toEqual([first.eventId, missed.eventId]);
  });

  test.each(["yesterday", uuidAt(Date.parse("2020-01-01T00:00:00Z"), 1)])(
    "a gap that nobody can fill begins with a reset: %s",
    async (lastEventId) => {
      await using world = await watching();
      void world.begin("", lastEventId);
      expect(await world.seen(1)).toEqual(["reset"]);
    },
  );

  test("a query that cannot be read ends the watch at once", async () => {
    await using world = await watching();
    await expect(world.begin("is:stuck")).rejects.toMatchObject({ reason: "INVALID_QUERY" });
  }, 1_000);
});
