import { pathToFileURL } from "node:url";
import type pg from "pg";
import { atRate, LOOK_EVERY_MS, percentile, perSecond } from "./measure.ts";
import { PAYLOAD } from "./payload.ts";
import { installPeer } from "./peer-folder.ts";

const VERSION = "0.18.0";

/** The parts of graphile-worker's API that the benchmark uses. */
interface Graphile {
  makeWorkerUtils(options: object): Promise<{
    addJob(task: string, payload: unknown): Promise<unknown>;
    addJobs(jobs: readonly object[]): Promise<unknown>;
    migrate(): Promise<void>;
    release(): Promise<void>;
  }>;
  run(options: object): Promise<{ stop(): Promise<void> }>;
}

/** Installs graphile-worker into a folder of its own, outside the workspace, the first time it is asked for. */
export async function loadGraphile(folder: string): Promise<Graphile> {
  const entry = await installPeer(folder, "graphile-worker", VERSION, "dist/index.js");
  return (await import(pathToFileURL(entry).href)) as Graphile;
}

const QUIET = { error() {}, warn() {}, info() {}, debug() {} };
const logger = { ...QUIET, scope: () => logger };
const TUNED = { noHandleSignals: true, logger };
const CONCURRENT_JOBS = 24;

/** What graphile-worker reaches on the same PostgreSQL settings, tuned as its own documents say. */
export class GraphilePeer {
  readonly #graphile: Graphile;
  readonly #pgPool: pg.Pool;

  constructor(graphile: Graphile, pgPool: pg.Pool) {
    this.#graphile = graphile;
    this.#pgPool = pgPool;
    // An idle connection that breaks is replaced; unheard, the event would end the run.
    pgPool.on("error", () => undefined);
    pgPool.on("connect", (client) => client.on("error", () => undefined));
  }

  /** Jobs a second, added one by one by so many callers. They are taken away again, so that no drain pays for them. */
  async submit(jobs: number, callers: number): Promise<number> {
    const utils = await this.#graphile.makeWorkerUtils({ pgPool: this.#pgPool, logger });
    try {
      await utils.migrate();
      return await perSecond(jobs, callers, async () => void (await utils.addJob("idle", PAYLOAD)));
    } finally {
      await this.#pgPool.query("truncate graphile_worker._private_jobs");
      await utils.release();
    }
  }

  /** Jobs a second, a thousand in a call and two calls at once. */
  async bulk(jobs: number): Promise<number> {
    const utils = await this.#graphile.makeWorkerUtils({ pgPool: this.#pgPool, logger });
    try {
      await utils.migrate();
      const thousand = Array.from({ length: 1_000 }, () => ({ identifier: "noop", payload: PAYLOAD }));
      return 1_000 * (await perSecond(jobs / 1_000, 2, async () => void (await utils.addJobs(thousand))));
    } finally {
      await utils.release();
    }
  }

  /** Jobs a second from a cold start until the store says that nothing is left. */
  async drain(jobs: number): Promise<number> {
    let left = jobs;
    const { promise: allBegun, resolve } = Promise.withResolvers<void>();
    const began = performance.now();
    const runner = await this.#graphile.run({
      ...TUNED,
      pgPool: this.#pgPool,
      preset: {
        worker: {
          concurrentJobs: CONCURRENT_JOBS,
          localQueue: { size: 2_000 },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
      taskList: {
        noop: () => {
          left -= 1;
          if (left === 0) resolve();
        },
      },
    });
    await allBegun;
    await this.#untilEmpty();
    const rate = jobs / ((performance.now() - began) / 1000);
    await runner.stop();
    return rate;
  }

  /** Its handlers are done before it is: it deletes finished jobs in batches. */
  async #untilEmpty(): Promise<void> {
    for (;;) {
      const { rows } = await this.#pgPool.query("select 1 from graphile_worker._private_jobs limit 1");
      if (rows.length === 0) return;
      await new Promise((done) => setTimeout(done, LOOK_EVERY_MS));
    }
  }

  /** Milliseconds from the call that adds a job to the start of its handler, p50 and p99. */
  async latency(perSecondRate: number, count: number): Promise<{ p50: number; p99: number }> {
    const utils = await this.#graphile.makeWorkerUtils({ pgPool: this.#pgPool, logger });
    const sent = new Map<number, number>();
    const waited: number[] = [];
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const runner = await this.#graphile.run({
      ...TUNED,
      pgPool: this.#pgPool,
      preset: { worker: { concurrentJobs: CONCURRENT_JOBS } },
      taskList: {
        tick: (payload: { item: number }) => {
          waited.push(performance.now() - (sent.get(payload.item) ?? Number.NaN));
          if (waited.length === count) resolve();
        },
      },
    });
    try {
      await atRate(perSecondRate, count, async (item) => {
        sent.set(item, performance.now());
        await utils.addJob("tick", { item, ...PAYLOAD });
      });
      await all;
      return { p50: percentile(waited, 50), p99: percentile(waited, 99) };
    } finally {
      await runner.stop();
      await utils.release();
    }
  }
}
