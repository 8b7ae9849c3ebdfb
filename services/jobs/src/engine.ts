import { createAnnouncements } from "@orrery/mesh/outbox/announcements";
import { createWatches, type Watches } from "@orrery/mesh/outbox/watch";
import type { Pool } from "@orrery/mesh/postgres/pool";
import { createItemBudget } from "@orrery/mesh/telemetry/item-budget";
import type { Logger } from "@orrery/mesh/telemetry/logger";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Chance, Clock } from "@orrery/mesh/time/clock";
import type { Route } from "@orrery/mesh/transport/route";
import { createJobEvents } from "./adapters/events/event-reader.ts";
import { createJobFacts } from "./adapters/events/job-facts.ts";
import { createEventStore } from "./adapters/postgres/event-store.ts";
import { createIdempotencyStore } from "./adapters/postgres/idempotency-store.ts";
import { createJobStore } from "./adapters/postgres/job-store.ts";
import { createLeaseStore } from "./adapters/postgres/lease-store.ts";
import { createQueueStore } from "./adapters/postgres/queue-store.ts";
import { createStepIds } from "./adapters/postgres/step-store.ts";
import { createPartitions, databaseNow } from "./adapters/postgres/upkeep-store.ts";
import { createWorkerStore } from "./adapters/postgres/worker-store.ts";
import { jobMessage, jobToBytes, jobToWire } from "./adapters/rpc/job-wire.ts";
import { jobsRoute } from "./adapters/rpc/jobs-handler.ts";
import { queuesRoute, queueToBytes } from "./adapters/rpc/queues-handler.ts";
import { workRoute } from "./adapters/rpc/work-handler.ts";
import { commandJob } from "./application/command-jobs.ts";
import { createDatabaseClock } from "./application/database-clock.ts";
import { createHeartbeatAttempts } from "./application/heartbeat-attempts.ts";
import { createJobMetrics, createQueueGauges } from "./application/job-metrics.ts";
import { createLeaseJobs } from "./application/lease-jobs.ts";
import { changeQueue, readQueue } from "./application/manage-queues.ts";
import type { JobEvents, JobView } from "./application/ports.ts";
import { readAttempts, readEvents, readJob } from "./application/read-jobs.ts";
import { createReadyBell, ringFor } from "./application/ready-bell.ts";
import { createReportAttempts } from "./application/report-attempts.ts";
import { createSightings } from "./application/sightings.ts";
import { createSubmitJobs } from "./application/submit-jobs.ts";
import { createSubmitSteps } from "./application/submit-steps.ts";
import { sweep } from "./application/sweep-jobs.ts";
import { startUpkeep } from "./application/upkeep.ts";
import { createWorkSessions } from "./application/work-sessions.ts";
import type { Moved } from "./domain/job.ts";
import { hasEnded } from "./domain/job-state.ts";

/** What the engine stands on. */
interface EngineDeps {
  readonly commandPool: Pool;
  /** For heartbeats and results alone. */
  readonly leasePool: Pool;
  readonly instance: string;
  readonly version: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Aborted when the service stops. */
  readonly signal: AbortSignal;
  /** Called after each commit that wrote events. */
  readonly onCommit: () => void;
  /** Called when jobs of these tasks became ready here: tells the other replicas. */
  readonly onReady: (tasks: ReadonlySet<string> | "all") => void;
}

/** The job engine, whole: what serves its RPCs, and what it does by itself. */
export interface Engine {
  readonly routes: readonly Route[];
  /** Says that another replica made jobs of these tasks ready. */
  readyElsewhere(tasks: ReadonlySet<string> | "all"): void;
  /** Milliseconds since the sweeper last came round. */
  sweptAgoMs(): number;
  /** Grants nothing any more: tells every worker's stream to go elsewhere, and answers those that wait. */
  drain(): void;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

/** Everything that is kept in the database. */
function createStores({ commandPool, leasePool, instance, version, clock }: EngineDeps) {
  return {
    jobs: createJobStore(commandPool),
    queues: createQueueStore(commandPool),
    workers: createWorkerStore(commandPool),
    events: createJobEvents(createEventStore(commandPool)),
    leaseStore: createLeaseStore(leasePool),
    keys: createIdempotencyStore(),
    partitions: createPartitions(commandPool),
    stepIds: createStepIds(),
    facts: createJobFacts({ instanceId: instance, version }, clock),
    databaseNow: databaseNow(commandPool),
  };
}

const watchesOf = (
  { after, versions }: JobEvents,
  read: ReturnType<typeof readJob>,
  { logger, signal }: EngineDeps,
): Watches<JobView> =>
  createWatches({
    after,
    progress: versions,
    read,
    progressOf: ({ job }) => ({ version: job.version, ended: hasEnded(job.status) }),
    logger,
    signal,
  });

/** Of the jobs that come many at a time so many in a second are in their request's trace, if that is kept. */
const TRACED_PER_SECOND = 50;

/** Puts the engine together and sets it going. */
export function createEngine(deps: EngineDeps): Engine {
  const { clock, chance, logger, metrics, signal } = deps;
  const stores = createStores(deps);
  const { jobs, queues, workers, events, leaseStore } = stores;
  const databaseClock = createDatabaseClock(clock);
  const announcements = createAnnouncements<Moved>();
  const common = {
    ...stores,
    announcements,
    chance,
    clock,
    logger,
    metrics,
    signal,
    inTransaction: inPool(deps.commandPool),
  };

  const bell = createReadyBell();
  const encodeJob = (job: Parameters<typeof jobMessage>[0]): Uint8Array => jobToBytes(jobMessage(job, {}));
  const submits = createSubmitJobs({ ...common, clock: databaseClock, encodeJob });
  const submitSteps = createSubmitSteps({ ...common, clock: databaseClock });
  const reports = createReportAttempts({ ...common, inTransaction: inPool(deps.leasePool) });
  const heartbeats = createHeartbeatAttempts(leaseStore, metrics);
  const refreshGauges = createQueueGauges(metrics, queues, clock);
  const upkeep = startUpkeep({ ...common, sweep: sweep(common), databaseClock, refreshGauges });
  const leases = createLeaseJobs({ ...common, limitedQueues: upkeep.limitedQueues });
  const sessions = createWorkSessions({ leases: leaseStore, logger, signal });
  const draining = new AbortController();
  const read = readJob(jobs);
  const watches = watchesOf(events, read, deps);
  const ring = (tasks: ReadonlySet<string> | "all" | undefined): void => {
    if (tasks === undefined) return;
    bell.ring(tasks);
    deps.onReady(tasks);
  };

  // Workers first: a grant should not queue behind the relay's look at what to publish.
  announcements.subscribe((changes) => ring(ringFor(changes, upkeep.limitedQueues())));
  announcements.subscribe(deps.onCommit);
  announcements.subscribe(createJobMetrics(metrics));
  announcements.subscribe((changes) => watches.nudge(changes.map(({ job }) => job)));
  announcements.subscribe(sessions.nudge);
  announcements.subscribe(upkeep.nudge);

  const changed = (): void => {
    upkeep.limitsChanged();
    ring("all");
  };
  const change = changeQueue({ ...common, encodeQueue: queueToBytes, changed });
  const command = commandJob({ ...common, encodeView: (view) => jobToBytes(jobToWire(view)) });
  const sightings = createSightings(common);
  const traces = createItemBudget({ perSecond: TRACED_PER_SECOND, clock });
  const work = { leases, reports, bell, clock, heartbeats, sightings, sessions, draining: draining.signal };
  const reads = { read, attempts: readAttempts(jobs), events: readEvents(jobs, events) };
  return {
    routes: [
      jobsRoute({ ...reads, submits, submitSteps, command, watches, traces }),
      workRoute({ ...work, listWorkers: workers.list }),
      queuesRoute({ list: queues.list, read: readQueue(queues), change }),
    ],
    readyElsewhere: bell.ring,
    sweptAgoMs: () => clock.monotonicMs() - upkeep.lastSweepMs(),
    drain: () => {
      draining.abort();
      sessions.drainAll();
    },
    close: async () => {
      await Promise.all([submits.close(), reports.close(), heartbeats.close(), leases.close()]);
      await upkeep.ended;
    },
  };
}

const inPool =
  (pool: Pool) =>
  <T>(...args: Parameters<typeof pool.transaction<T>>): Promise<T> =>
    pool.transaction(...args);
