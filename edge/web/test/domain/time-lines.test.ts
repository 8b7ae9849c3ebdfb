import { describe, expect, test } from "@jest/globals";
import type { Span } from "../../src/api/contract.ts";
import { attemptTimeline } from "../../src/domain/attempt-timeline.ts";
import { eventStory } from "../../src/domain/event-story.ts";
import { layOutTrace } from "../../src/domain/trace-rows.ts";
import { sampleEvent, sampleJob } from "../stand-in/sample-jobs.ts";

const at = (ms: number) => new Date(1_000_000 + ms).toISOString();
const job = { ...sampleJob(12), status: "SUCCEEDED", createTime: at(0), endTime: at(1_000) } as const;
const attempt = (n: number, from: number, to: number | undefined) =>
  ({
    attempt: n,
    status: to === undefined ? "RUNNING" : "FAILED",
    worker: "w",
    startTime: at(from),
    ...(to !== undefined && { endTime: at(to) }),
  }) as const;

describe("the time line of a job", () => {
  test("keeps waiting apart from running, and fills the whole time", () => {
    const { rows, waiting } = attemptTimeline(job, [attempt(1, 100, 300), attempt(2, 700, 1_000)], 0);
    expect(rows.map(({ waited, ran }) => [waited.tookMs, ran.tookMs])).toEqual([
      [100, 200],
      [400, 300],
    ]);
    expect(rows.reduce((sum, { waited, ran }) => sum + waited.width + ran.width, 0)).toBeCloseTo(1);
    expect(waiting).toBeUndefined();
  });

  test("of a job that waits again ends with that wait, which goes on until now", () => {
    const { waiting } = attemptTimeline(
      { ...job, status: "RETRYING" },
      [attempt(1, 100, 300)],
      1_000_000 + 800,
    );
    expect(waiting?.tookMs).toBe(500);
  });

  test("of an attempt under way grows with the clock", () => {
    const { rows } = attemptTimeline(
      { ...job, status: "RUNNING" },
      [attempt(1, 100, undefined)],
      1_000_000 + 600,
    );
    expect(rows[0]?.ran.tookMs).toBe(500);
    expect(rows[0]?.open).toBe(true);
  });
});

const span = (id: string, parent: string, fromMs: number, seconds: string): Span => ({
  spanId: id,
  parentSpanId: parent,
  name: id,
  service: "jobs",
  startTime: at(fromMs),
  duration: seconds,
  failed: false,
  attributes: {},
});

describe("the rows of a trace", () => {
  test("put each span below the one that it is a part of, siblings by their start", () => {
    const { rows, wholeMs } = layOutTrace([
      span("b", "a", 60, "0.04s"),
      span("c", "a", 10, "0.02s"),
      span("a", "", 0, "0.1s"),
    ]);
    expect(rows.map(({ span: { spanId }, depth }) => [spanId, depth])).toEqual([
      ["a", 0],
      ["c", 1],
      ["b", 1],
    ]);
    expect(wholeMs).toBe(100);
    expect(rows[2]).toMatchObject({ from: 0.6, width: 0.4 });
  });

  test("keep a span whose parent was dropped, and end with one that is its own parent", () => {
    expect(layOutTrace([span("x", "gone", 0, "1s")]).rows).toHaveLength(1);
    expect(layOutTrace([span("a", "", 0, "1s"), span("y", "y", 0, "1s")]).rows).toHaveLength(1);
    expect(layOutTrace([]).rows).toEqual([]);
  });
});

test("an event of an attempt says which one, where, how long and what went wrong", () => {
  const ended = { ...attempt(2, 0, 1_500), error: { type: "E", message: "broke" } };
  const event = sampleEvent(
    "JobRetrying",
    { job: { ...job, status: "RETRYING" }, attempt: ended },
    { id: job.id, version: 3 },
  );
  expect(eventStory(event)).toEqual({
    name: "JobRetrying",
    status: "RETRYING",
    text: "attempt 2 on w · 1.5 s · E: broke",
  });
});
