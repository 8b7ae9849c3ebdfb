import type { Platform } from "../../dev/testing/platform.ts";
import { runBenchWorker } from "./bench-worker.ts";
import { HttpLoad, postsPerSecond } from "./http-load.ts";
import { atRate, LOOK_EVERY_MS, percentile, perSecond } from "./measure.ts";
import { PAYLOAD } from "./payload.ts";
import { untilSettled } from "./platform-metrics.ts";

const TASK = "bench.noop";

/** What Orrery reaches, through the doors that users use. Every case has a queue of its own. */
export class OrreryCase {
  readonly #platform: Platform;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  #shot(path: string, body: unknown) {
    return {
      url: `${this.#platform.run.edge}${path}`,
      key: this.#platform.key(),
      body: JSON.stringify(body),
    };
  }

  /** Jobs a second, submitted one by one through REST by so many connections of an external client. */
  async submit(callers: number, seconds: number): Promise<number> {
    const shot = this.#shot("/v1/jobs", { task: TASK, queue: "idle", input: PAYLOAD });
    return postsPerSecond(shot, callers, seconds);
  }

  /** Jobs a second, a thousand in a request and two requests at once. */
  async bulk(jobs: number, queue: string): Promise<number> {
    const load = new HttpLoad(2);
    const thousand = Array.from({ length: 1_000 }, () => ({ task: TASK, queue, input: PAYLOAD }));
    const shot = this.#shot("/v1/jobs:batchSubmit", { jobs: thousand });
    try {
      return 1_000 * (await perSecond(jobs / 1_000, 2, async () => void (await load.post(shot))));
    } finally {
      load.close();
    }
  }

  /** Jobs a second from the first lease until the store says that nothing is open. The jobs are there before. */
  async drain(jobs: number, queue: string): Promise<number> {
    let leased = 0;
    const began = performance.now();
    await using _worker = await runBenchWorker({
      run: this.#platform.run,
      task: TASK,
      queue,
      onLease: () => {
        leased += 1;
      },
    });
    await this.#untilEmpty(queue, () => leased >= jobs);
    return jobs / ((performance.now() - began) / 1000);
  }

  /** Jobs a second with everything at once: submitted, leased, completed, published, projected as far as it comes. */
  async pipeline(jobs: number, queue: string): Promise<number> {
    let leased = 0;
    const began = performance.now();
    await using _worker = await runBenchWorker({
      run: this.#platform.run,
      task: TASK,
      queue,
      onLease: () => {
        leased += 1;
      },
    });
    await this.bulk(jobs, queue);
    await this.#untilEmpty(queue, () => leased >= jobs);
    return jobs / ((performance.now() - began) / 1000);
  }

  /** Milliseconds from the request that submits a job to the moment when its handler would begin, p50 and p99. */
  async latency(perSecondRate: number, count: number): Promise<{ p50: number; p99: number }> {
    const sent = new Map<string, number>();
    const begun = new Map<string, number>();
    const load = new HttpLoad(16);
    await using _worker = await runBenchWorker({
      run: this.#platform.run,
      task: "bench.tick",
      queue: "ticks",
      onLease: ({ labels }) => void begun.set(labels.item ?? "", performance.now()),
    });
    try {
      await atRate(perSecondRate, count, async (item) => {
        const job = { task: "bench.tick", queue: "ticks", input: PAYLOAD, labels: { item: String(item) } };
        sent.set(String(item), performance.now());
        await load.post(this.#shot("/v1/jobs", job));
      });
      while (begun.size < count) await new Promise((done) => setTimeout(done, 5));
    } finally {
      load.close();
    }
    const waited = [...begun].map(([item, at]) => at - (sent.get(item) ?? Number.NaN));
    return { p50: percentile(waited, 50), p99: percentile(waited, 99) };
  }

  /** Waits until everything is published and projected, at most three minutes. */
  settled(): Promise<void> {
    return untilSettled(this.#platform);
  }

  async #untilEmpty(queue: string, likely: () => boolean): Promise<void> {
    const end = performance.now() + 180_000;
    while (performance.now() < end) {
      if (likely()) {
        const { body } = await this.#platform.send("GET", `/v1/queues/${queue}`);
        if (Object.values(body.depth as Record<string, number>).every((count) => count === 0)) return;
      }
      await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    }
    throw new Error(`the queue ${queue} was not empty within 180 s`);
  }
}
