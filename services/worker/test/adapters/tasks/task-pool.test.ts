import { describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { TaskPool } from "../../../src/adapters/tasks/task-pool.ts";
import type { AttemptResult } from "../../../src/application/ports.ts";
import type { Attempt } from "../../../src/domain/attempt.ts";

const thread = new URL("./threads/spinning-thread.ts", import.meta.url);

function poolOfOne() {
  const ended: AttemptResult[] = [];
  const died: string[] = [];
  const pool = new TaskPool({
    threads: 1,
    settings: {},
    thread,
    listener: (results) => ended.push(...results),
    onDied: (cause) => died.push(String(cause)),
  });
  return { pool, ended, died };
}

const attempt = (jobId: string, input: string): Attempt => ({
  jobId,
  leaseEpoch: 1,
  project: "demo",
  task: "any",
  attempt: 1,
  maxAttempts: 5,
  timeoutMs: 1_000,
  idempotencyKey: jobId,
  correlationId: "",
  traceparent: "",
  inputJson: JSON.stringify(input),
});

describe("a task thread", () => {
  test("that dies fails its attempts, so that they count, and is replaced", async () => {
    const { pool, ended, died } = poolOfOne();
    await using _ = pool;
    pool.start([attempt("a", "die"), attempt("b", "fine")]);
    await eventually(() => expect(ended).toHaveLength(2));
    expect(ended.map(({ end }) => end)).toEqual(
      [1, 2].map(() =>
        expect.objectContaining({ kind: "failed", error: expect.objectContaining({ type: "THREAD_DIED" }) }),
      ),
    );
    expect(died).toEqual([expect.stringContaining("died as asked")]);
    pool.start([attempt("c", "fine")]);
    await eventually(() => expect(ended.at(-1)).toMatchObject({ jobId: "c", end: { kind: "succeeded" } }));
  });

  test("that computes without pause holds up nobody, and is ended 5 s after it was told to stop", async () => {
    const { pool, ended } = poolOfOne();
    await using _ = pool;
    const began = performance.now();
    pool.start([attempt("a", "spin")]);
    pool.stop([attempt("a", "spin")]);
    let turns = 0;
    await eventually(() => {
      turns += 1;
      expect(ended).toMatchObject([{ jobId: "a", end: { error: { type: "THREAD_DIED" } } }]);
    });
    expect(turns).toBeGreaterThan(20);
    expect(performance.now() - began).toBeGreaterThan(4_500);
  });
});
