import { createClient, createRouterTransport } from "@connectrpc/connect";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";
import { fixedChance } from "@orrery/mesh/testing/fixed-chance";
import { type Clock, systemClock } from "@orrery/mesh/time/clock";
import { keepStreams } from "../src/adapters/rpc/engine-streams.ts";
import type { WorkClient } from "../src/adapters/rpc/work-stream.ts";
import { BUILT_IN_TASK_NAMES } from "../src/adapters/tasks/built-in-tasks.ts";
import { TaskPool } from "../src/adapters/tasks/task-pool.ts";
import { keepLeases, sweepLeases } from "../src/application/work-life.ts";
import { Workbench } from "../src/application/workbench.ts";
import { type FakeEngine, type LeaseInit, value } from "./fake-engine.ts";

/**
 * A worker of this service, whole but for its process: real threads, real streams to engines that speak the
 * protocol.
 */
export interface RunningWorker extends AsyncDisposable {
  readonly workbench: Workbench;
  /** `kind reason` of each answered result. */
  readonly answered: string[];
  /** The cause of each dropped lease. */
  readonly dropped: string[];
  readonly refusedAddresses: string[];
}

export interface WorkerSetting {
  readonly engines: readonly FakeEngine[];
  readonly slots?: number;
  readonly clock?: Clock;
  readonly httpAllow?: readonly string[];
  /** How an engine is reached; in process unless set. */
  readonly clientOf?: (engine: FakeEngine) => WorkClient;
}

const inProcess = (engine: FakeEngine): WorkClient =>
  createClient(
    WorkService,
    createRouterTransport(({ rpc }) => {
      rpc(WorkService.method.work, (requests) => engine.work(requests));
    }),
  );

/** Starts a worker against engines. */
export function startWorker(setting: WorkerSetting): RunningWorker {
  const { engines, slots = 10, clock = systemClock, httpAllow = [], clientOf = inProcess } = setting;
  const answered: string[] = [];
  const dropped: string[] = [];
  const refusedAddresses: string[] = [];
  const over = new AbortController();
  const pool = new TaskPool({
    threads: 1,
    settings: { httpAllow },
    listener: (ended) => workbench.ended(ended),
    onDied: () => dropped.push("thread died"),
  });
  const workbench = new Workbench({
    slots,
    replicas: engines.length,
    clock,
    runner: pool,
    report: {
      resultAnswered: ({ kind, reason }) => answered.push(`${kind} ${reason}`),
      attemptOver: () => undefined,
      leaseDropped: (_lease, cause) => dropped.push(cause),
      addressRefused: ({ jobId }) => refusedAddresses.push(jobId),
    },
  });
  const streams = keepStreams(
    {
      replicas: engines.map((engine, index) => ({ name: `engine-${index}`, client: clientOf(engine) })),
      registration: { worker: "worker-0", tasks: BUILT_IN_TASK_NAMES, slots },
      listener: workbench,
      clock: systemClock,
      chance: fixedChance(0.5),
      onEnded: () => undefined,
    },
    over.signal,
  );
  const life = Promise.all([
    streams,
    keepLeases(workbench, over.signal),
    sweepLeases(workbench, over.signal),
  ]);
  return {
    workbench,
    answered,
    dropped,
    refusedAddresses,
    async [Symbol.asyncDispose]() {
      over.abort();
      await life;
      await pool[Symbol.asyncDispose]();
    },
  };
}

let made = 0;

/** A lease on a job of its own. */
export function leaseOf(task: string, input?: Parameters<typeof value>[0], more: LeaseInit = {}): LeaseInit {
  made += 1;
  const jobId = `job-${made}`;
  return {
    jobId,
    leaseEpoch: 1,
    task,
    attempt: 1,
    maxAttempts: 5,
    project: "demo",
    idempotencyKey: jobId,
    timeout: { seconds: 600n },
    ...(input === undefined ? {} : { input: value(input) }),
    ...more,
  };
}
