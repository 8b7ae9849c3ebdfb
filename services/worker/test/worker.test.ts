import { describe, expect, test } from "@jest/globals";
import { eventually } from "@orrery/mesh/testing/eventually";
import { ManualClock } from "@orrery/mesh/testing/manual-clock";
import { systemClock } from "@orrery/mesh/time/clock";
import { retire } from "../src/application/work-life.ts";
import { FakeEngine, type FakeStream } from "./fake-engine.ts";
import { leaseOf, startWorker } from "./worker-factory.ts";

const creditOf = (...engines: readonly FakeEngine[]) =>
  engines.flatMap(({ streams }) => [...streams].map(({ credit }) => credit));

describe("a worker on its streams", () => {
  test("runs the built-in tasks and reports each end once", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine] });
    const input = { text: "ünï", list: [1, null, { deep: true }], zero: 0 };
    const [echo, empty, failing, healed] = engine.add(
      leaseOf("orrery.echo", input),
      leaseOf("orrery.echo"),
      leaseOf("orrery.fail", { message: "no", retryable: false }),
      leaseOf("orrery.fail", { message: "not yet", retryable: true, times: 2 }, { attempt: 3 }),
    );
    await eventually(() => expect(worker.answered).toHaveLength(4));
    expect(echo?.end).toEqual({ status: "SUCCEEDED", output: input });
    expect(empty?.end).toEqual({ status: "SUCCEEDED" });
    expect(failing?.end).toEqual({ status: "FAILED", error: "ORRERY_FAIL: no" });
    expect(healed?.end).toEqual({ status: "SUCCEEDED", output: { attempts: 3 } });
    expect([...engine.jobs.values()].map(({ results }) => results)).toEqual([1, 1, 1, 1]);
  });

  test("is never granted more jobs than it has slots", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine], slots: 3 });
    engine.add(...Array.from({ length: 8 }, () => leaseOf("orrery.sleep", { ms: 60_000 })));
    await eventually(() => expect(worker.workbench.running).toBe(3));
    expect([...engine.streams].map(({ granted, credit }) => [granted, credit])).toEqual([[3, 0]]);
  });

  test("takes a new job for each that ended", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine], slots: 2 });
    engine.add(...Array.from({ length: 300 }, (_, n) => leaseOf("orrery.echo", n)));
    await eventually(() => expect(worker.answered).toHaveLength(300));
    expect(new Set(worker.answered)).toEqual(new Set(["succeeded ACCEPTED"]));
  });

  test("shares its credit evenly among the replicas", async () => {
    const first = new FakeEngine();
    const second = new FakeEngine(first);
    await using worker = startWorker({ engines: [first, second], slots: 10 });
    await eventually(() => expect(creditOf(first, second)).toEqual([5, 5]));
    first.add(...Array.from({ length: 100 }, (_, n) => leaseOf("orrery.echo", n)));
    await eventually(() => expect(worker.answered).toHaveLength(100));
    await eventually(() => expect(creditOf(first, second).reduce((one, other) => one + other)).toBe(10));
  });

  test("gives all of its credit to the one replica that can be reached", async () => {
    const [here, away] = [new FakeEngine(), new FakeEngine()];
    away.silent = true;
    await using _worker = startWorker({ engines: [here, away], slots: 10 });
    await eventually(() => expect(creditOf(here)).toEqual([10]));
  });
});

describe("a stream that breaks", () => {
  test("costs no attempt: the result goes over the next stream", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine] });
    engine.breakOnResult = 1;
    const [job] = engine.add(leaseOf("orrery.echo", "kept"));
    await eventually(() => expect(worker.answered).toEqual(["succeeded ACCEPTED"]));
    expect(job).toMatchObject({ results: 2, end: { output: "kept" } });
    expect(engine.opened).toBe(2);
  });

  test("leaves its leases to be kept over the stream to the other replica", async () => {
    const first = new FakeEngine();
    const second = new FakeEngine(first);
    await using worker = startWorker({ engines: [first, second] });
    await eventually(() => expect(creditOf(first)).toEqual([5]));
    const [job] = first.add(leaseOf("orrery.sleep", { ms: 200 }));
    await eventually(() => expect(worker.workbench.running).toBe(1));
    first.silent = true;
    for (const stream of first.streams) stream.breakOff();
    await eventually(() => expect(job?.end?.status).toBe("SUCCEEDED"));
    expect(worker.dropped).toEqual([]);
  });
});

describe("a replica that drains", () => {
  test("is left at once, and its leases are reported to the other", async () => {
    const first = new FakeEngine();
    const second = new FakeEngine(first);
    await using worker = startWorker({ engines: [first, second] });
    await eventually(() => expect(creditOf(first)).toEqual([5]));
    const [job] = first.add(leaseOf("orrery.sleep", { ms: 300 }));
    await eventually(() => expect(worker.workbench.running).toBe(1));
    const [leaving] = first.streams;
    leaving?.say({ message: { case: "drain", value: {} } });
    await eventually(() => expect(first.streams.has(leaving as FakeStream)).toBe(false));
    await eventually(() => expect(job?.end?.status).toBe("SUCCEEDED"));
    expect(job?.results).toBe(1);
  });
});

describe("an attempt that has to stop", () => {
  test("is reported as cancelled when a cancellation was asked for", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine] });
    const [job] = engine.add(leaseOf("orrery.sleep", { ms: 60_000 }));
    await eventually(() => expect(worker.workbench.running).toBe(1));
    engine.cancel(job?.lease.jobId ?? "");
    await eventually(() => expect(job?.end?.status).toBe("CANCELLED"));
  });

  test("is reported as timed out once its own timeout has passed", async () => {
    const engine = new FakeEngine();
    await using _worker = startWorker({ engines: [engine] });
    const [job] = engine.add(leaseOf("orrery.sleep", { ms: 60_000 }, { timeout: { nanos: 100_000_000 } }));
    await eventually(() => expect(job?.end?.error).toMatch(/^TIMEOUT: /));
  });

  test("is dropped without a word when its heartbeat is answered with LEASE_LOST", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine] });
    const [job] = engine.add(leaseOf("orrery.sleep", { ms: 60_000 }));
    await eventually(() => expect(worker.workbench.running).toBe(1));
    if (job !== undefined) job.lost = true;
    await worker.workbench.heartbeat(1_000);
    await eventually(() => expect(worker.workbench.running).toBe(0));
    expect(worker.dropped).toEqual(["LEASE_LOST"]);
    expect(job?.results).toBe(0);
  });

  test("L1: is stopped, L2: and never reported, when its lease was not confirmed for 13 s", async () => {
    const engine = new FakeEngine();
    const clock = new ManualClock();
    await using worker = startWorker({ engines: [engine], clock });
    const [job] = engine.add(leaseOf("orrery.sleep", { ms: 60_000 }));
    await eventually(() => expect(worker.workbench.running).toBe(1));
    engine.silent = true;
    clock.advance(12_999);
    worker.workbench.sweep();
    expect(worker.dropped).toEqual([]);
    clock.advance(1);
    worker.workbench.sweep();
    await eventually(() => expect(worker.workbench.running).toBe(0));
    expect(worker.dropped).toEqual(["not confirmed in time"]);
    expect(job?.results).toBe(0);
  });

  test("has its result refused, and dropped, when the engine granted the job again", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine] });
    const [job] = engine.add(leaseOf("orrery.sleep", { ms: 100 }));
    await eventually(() => expect(worker.workbench.running).toBe(1));
    if (job !== undefined) job.lost = true;
    await eventually(() => expect(worker.answered).toEqual(["succeeded LEASE_LOST"]));
    expect(worker.workbench.unreported).toBe(0);
  });
});

describe("a replica that goes silent", () => {
  test("has its stream closed after an unanswered heartbeat", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine] });
    await eventually(() => expect(worker.workbench.openLinks).toBe(1));
    engine.silent = true;
    expect(await worker.workbench.heartbeat(50)).toBe(false);
    engine.silent = false;
    await eventually(() => expect(worker.workbench.openLinks).toBe(1));
    expect(engine.opened).toBeGreaterThanOrEqual(2);
  });
});

describe("a worker that retires", () => {
  test("lets short attempts end, gives long ones back, and takes no more", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine] });
    const [short, long] = engine.add(
      leaseOf("orrery.sleep", { ms: 100 }),
      leaseOf("orrery.sleep", { ms: 60_000 }),
    );
    await eventually(() => expect(worker.workbench.running).toBe(2));
    const released = await retire(worker.workbench, { clock: systemClock, drainMs: 3_000 });
    expect(released).toBe(1);
    expect(short?.end?.status).toBe("SUCCEEDED");
    expect(long).toMatchObject({ released: true, results: 0 });
    expect(engine.drained).toEqual(["worker-0"]);
  });

  test("gives back at once what is granted after it said so", async () => {
    const engine = new FakeEngine();
    await using worker = startWorker({ engines: [engine] });
    await eventually(() => expect(worker.workbench.openLinks).toBe(1));
    worker.workbench.stopLeasing();
    const [late] = engine.add(leaseOf("orrery.echo", "late"));
    await eventually(() => expect(late).toMatchObject({ released: true, results: 0 }));
  });
});
