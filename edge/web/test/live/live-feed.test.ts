import { afterEach, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import type { Envelope } from "../../src/api/contract.ts";
import { Problem } from "../../src/api/problem.ts";
import { newsOf } from "../../src/live/batch-news.ts";
import { type Frame, framesOf } from "../../src/live/event-frames.ts";
import { type Batch, createLiveFeed, type LiveFeed } from "../../src/live/live-feed.ts";
import { sampleEvent, sampleJob } from "../stand-in/sample-jobs.ts";

const streamOf = (...pieces: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });

async function frames(...pieces: readonly string[]): Promise<readonly Frame[]> {
  const found: Frame[] = [];
  for await (const frame of framesOf(streamOf(...pieces), () => undefined)) found.push(frame);
  return found;
}

describe("frames", () => {
  test("are cut where the stream cuts them, not where the network does", async () => {
    expect(await frames("id: 1\neve", "nt: A\nda", "ta: x\r", "\n\r\n", "data: y\n\n")).toEqual([
      { id: "1", event: "A", data: "x" },
      { id: "1", event: "message", data: "y" },
    ]);
  });

  test("of comments alone are none, and lines of data are joined", async () => {
    expect(await frames(": alive\n\n", "data: a\ndata: b\n\n", "data: cut off")).toEqual([
      { id: "", event: "message", data: "a\nb" },
    ]);
  });
});

const job = sampleJob(1);
const started = (version: number) =>
  sampleEvent("JobStarted", { job: { ...job, version } }, { id: job.id, version });
const frame = (version: number) =>
  `id: e${version}\nevent: JobStarted\ndata: ${JSON.stringify(started(version))}\n\n`;

let feed: LiveFeed | undefined;
afterEach(() => feed?.close());

/** A stream that brings nothing and breaks with its signal, as that of fetch does. */
const untilAborted = (signal: AbortSignal | undefined): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => signal?.addEventListener("abort", () => controller.error(signal.reason)),
  });

/** A feed over an edge that answers each connection in turn; the last one stays open. */
function feedOver(...answers: readonly (Response | Problem)[]) {
  const asked: Record<string, string>[] = [];
  const batches: Batch[] = [];
  let turn = 0;
  feed = createLiveFeed({
    batchMs: 5,
    chance: () => 0,
    open: async (_, init) => {
      asked.push(init?.headers ?? {});
      const answer = answers[turn++] ?? new Response(untilAborted(init?.signal));
      if (answer instanceof Problem) throw answer;
      return answer;
    },
  });
  feed.onBatch((batch) => void batches.push(batch));
  const events = (): readonly Envelope[] => batches.flatMap((batch) => batch.events);
  return { feed, asked, batches, events };
}

describe("the live feed", () => {
  test("goes on after the last event it saw when its connection breaks", async () => {
    const { asked, events } = feedOver(new Response(streamOf(frame(1), frame(2))));
    await eventually(() => expect(asked).toHaveLength(2), { withinMs: 5_000 });
    expect(asked.map((headers) => headers["last-event-id"])).toEqual([undefined, "e2"]);
    await eventually(() => expect(events()).toHaveLength(2), { withinMs: 1_000 });
  });

  test("tells of a gap when it comes back without a place to go on from", async () => {
    const { batches, feed: opened } = feedOver(new Response(streamOf(": nothing yet\n\n")));
    await eventually(() => expect(batches.some(({ gap }) => gap)).toBe(true), { withinMs: 5_000 });
    expect(opened.state()).toBe("live");
  });

  test("says that it is lost while the edge is away, and seeks it again", async () => {
    const { feed: opened, asked } = feedOver(new Problem({ status: 503, title: "away" }));
    await eventually(() => expect(opened.state()).toBe("lost"), { withinMs: 2_000 });
    await eventually(() => expect(asked.length).toBeGreaterThan(1), { withinMs: 5_000 });
    await eventually(() => expect(opened.state()).toBe("live"), { withinMs: 2_000 });
  });

  test("neither connects while it is paused nor wakes a pause of the reader's", async () => {
    const { feed: opened, asked } = feedOver();
    await eventually(() => expect(opened.state()).toBe("live"), { withinMs: 2_000 });
    opened.pause();
    opened.sleep();
    opened.wake();
    expect(opened.state()).toBe("paused");
    opened.resume();
    await eventually(() => expect(asked).toHaveLength(2), { withinMs: 2_000 });
  });
});

test("of many events about one job the newest counts, in whatever order they came", () => {
  const news = newsOf([started(3), started(5), started(4)]);
  expect(news.jobs.get(job.id)?.version).toBe(5);
  expect(news.missions.size).toBe(0);
});
