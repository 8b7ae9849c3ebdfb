import { expect, test } from "@jest/globals";
import { type Around, type QueueState, whyQueued } from "../../src/domain/why-queued.ts";

const QUEUE: QueueState = {
  name: "mail",
  paused: false,
  running: 3,
  concurrency: 0,
  concurrencyPerKey: 0,
  rateLimit: 0,
};
const WORKER = { tasks: ["send"], queues: [], draining: false };
const JOB = { task: "send", queue: "mail", concurrencyKey: "" };
const around = (queue: Partial<QueueState>, more: Partial<Around> = {}): Around => ({
  queues: new Map([["mail", { ...QUEUE, ...queue }]]),
  workers: [WORKER],
  allWorkers: true,
  ...more,
});

test.each([
  ["QUEUE_PAUSED", around({ paused: true, concurrency: 3 }, { workers: [] })],
  ["NO_WORKER", around({ concurrency: 3 }, { workers: [] })],
  ["NO_WORKER", around({}, { workers: [{ ...WORKER, draining: true }] })],
  ["NO_WORKER", around({}, { workers: [{ ...WORKER, queues: ["bills"] }] })],
  ["NO_WORKER", around({}, { workers: [{ ...WORKER, tasks: ["print"] }] })],
  ["CONCURRENCY_LIMIT", around({ concurrency: 3 })],
  ["WAITING_FOR_SLOT", around({ concurrency: 4 })],
  ["WAITING_FOR_SLOT", around({}, { queues: new Map() })],
  // Where the list of workers is cut off, one of the others may serve it.
  ["WAITING_FOR_SLOT", around({}, { workers: [], allWorkers: false })],
])("a queued job is told the strongest reason: %s", (reason, known) => {
  expect(whyQueued(JOB, known).reason).toBe(reason);
});

test.each([
  [
    "send",
    [],
    'start one, which asks for work by POST /v1/work:lease with {"tasks":["send"],"queues":["mail"]',
  ],
  ["orrery.echo", [], 'only the platform\'s own may; "npx orrery doctor" says'],
  ["orrery.eco", ["orrery.sleep", "orrery.echo", "print"], "there are orrery.echo, orrery.sleep."],
])("a queued job that nobody serves is told what to do: %s", (task, tasks, words) => {
  const why = whyQueued({ ...JOB, task }, around({}, { workers: [{ ...WORKER, tasks }] }));
  expect(why).toMatchObject({ reason: "NO_WORKER", message: expect.stringContaining(words) });
});

test("limits that may hold a job, and of which nobody tells, are named and not claimed", () => {
  const known = around({ concurrencyPerKey: 2, rateLimit: 5 });
  expect(whyQueued({ ...JOB, concurrencyKey: "acme" }, known)).toEqual({
    reason: "WAITING_FOR_SLOT",
    message:
      "It waits its turn for a worker with a free slot, within its key's limit of 2 at once and its queue's rate.",
  });
  expect(whyQueued(JOB, known).message).not.toContain("key");
});
