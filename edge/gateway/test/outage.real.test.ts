import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { wait } from "@orrery/mesh/time/wait";
import { FakeJobs } from "./fake-jobs.ts";
import { auth, startTestBed, type TestBed } from "./gateway-factory.ts";

const DEADLINE_MS = 2_000;
/** The contract says 50; the rest is for a machine that does other things as well. */
const MARGIN_MS = 250;
const TICK_MS = 10;

/**
 * For how long this process, which the gateway runs in, was not let run: a machine that gave it to others for a second
 * says nothing of the gateway's deadlines. What it did itself in that time is its own.
 */
let heldUpMs = 0;
let ticker: NodeJS.Timeout;

beforeAll(() => {
  let lastMs = performance.now();
  let last = process.cpuUsage();
  ticker = setInterval(() => {
    const nowMs = performance.now();
    const { user, system } = process.cpuUsage(last);
    heldUpMs += Math.max(0, nowMs - lastMs - 2 * TICK_MS - (user + system) / 1_000);
    lastMs = nowMs;
    last = process.cpuUsage();
  }, TICK_MS);
});
afterAll(() => clearInterval(ticker));

const headers = { ...auth(), "content-type": "application/json" };
const submit = (bed: TestBed) =>
  fetch(`${bed.url}/v1/jobs`, { method: "POST", body: '{"task":"t"}', headers });
const read = (bed: TestBed) => fetch(`${bed.url}/v1/jobs/0190b0a0-0000-7000-8000-000000000000`, { headers });

async function timed(action: () => Promise<Response>): Promise<{ response: Response; tookMs: number }> {
  const startedMs = performance.now() - heldUpMs;
  const response = await action();
  return { response, tookMs: performance.now() - heldUpMs - startedMs };
}

describe("a jobs service that is gone", () => {
  test("is a 503 with the time to wait, within the deadline, for writes and reads", async () => {
    const jobs = new FakeJobs();
    await using bed = await startTestBed({ jobs: jobs.implementation });
    expect((await submit(bed)).status).toBe(202);
    await bed.stopJobs();
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) => timed(() => (index % 2 ? submit(bed) : read(bed)))),
    );
    const details = new Set<string>();
    for (const { response, tookMs } of answers) {
      expect(response.status).toBe(503);
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
      const problem = (await response.json()) as { detail: string };
      expect(problem).toMatchObject({ reason: "DEPENDENCY_UNAVAILABLE", retryable: true });
      details.add(problem.detail);
      expect(tookMs).toBeLessThan(DEADLINE_MS + MARGIN_MS);
    }
    expect([...details]).toContain("orrery.jobs.v1.JobsService cannot be reached");
    await eventually(async () =>
      expect(await bed.metrics.registry.metrics()).toMatch(
        /orrery_breaker_state\{[^}]*dependency="jobs"[^}]*\} 2/,
      ),
    );
  });
});

describe("a jobs service that hangs", () => {
  test("is a 503 within the deadline for each of those who wait, those behind others included", async () => {
    const jobs = new FakeJobs();
    jobs.delayMs = 4_000;
    await using bed = await startTestBed({ jobs: jobs.implementation });
    const answers: Promise<{ response: Response; tookMs: number }>[] = [];
    for (let wave = 0; wave < 6; wave += 1) {
      for (let caller = 0; caller < 5; caller += 1) answers.push(timed(() => submit(bed)));
      // Callers come one after another: those who come late wait behind those who came first.
      await wait(100);
    }
    for (const { response, tookMs } of await Promise.all(answers)) {
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).not.toBeNull();
      expect(tookMs).toBeLessThan(DEADLINE_MS + MARGIN_MS);
    }
  });
});

describe("a key that asks too often", () => {
  test("is told to wait, and the other keys are not", async () => {
    const jobs = new FakeJobs();
    await using bed = await startTestBed(
      { jobs: jobs.implementation },
      { rateLimit: { requests: 5, windowMs: 60_000 } },
    );
    const statuses: number[] = [];
    for (let request = 0; request < 6; request += 1) statuses.push((await submit(bed)).status);
    expect(statuses).toEqual([202, 202, 202, 202, 202, 429]);
    const refused = await submit(bed);
    expect(refused.headers.get("ratelimit-policy")).toBe('"key";q=5;w=60');
    expect(refused.headers.get("ratelimit")).toMatch(/^"key";r=0;t=\d+$/);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(5);
    expect(await refused.json()).toMatchObject({
      ...{ reason: "RATE_LIMITED", retryable: true },
      detail: "The key may make 5 requests in 60 s, and has used them up.",
    });
    const other = await fetch(`${bed.url}/v1/jobs`, {
      ...{
        method: "POST",
        body: '{"task":"t"}',
        headers: { ...headers, ...auth("other") },
      },
    });
    expect(other.status).toBe(202);
  });
});

test("a gateway that drains answers what is under way and takes nothing new", async () => {
  const jobs = new FakeJobs();
  jobs.delayMs = 300;
  const bed = await startTestBed({ jobs: jobs.implementation });
  const underWay = submit(bed);
  await eventually(() => expect(jobs.batches.length).toBe(1));
  const closing = bed[Symbol.asyncDispose]();
  expect((await underWay).status).toBe(202);
  await closing;
  await expect(submit(bed)).rejects.toThrow();
});
