// I1  a job is granted to one holder: it is taken under its row lock, and its ready row goes in the same
// statement.
// I20 queues with limits are granted from by whoever holds the queue's row, after counting.
import { Fault } from "@orrery/mesh/fault/fault";
import type { Announcements } from "@orrery/mesh/outbox/announcements";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import { VALUE_GROWTH, valueBytes } from "@orrery/mesh/transport/json-value";
import { grant } from "../domain/attempt-decisions.ts";
import type { Attempt, Moved, ReadyState, Transition } from "../domain/job.ts";
import { LEASE_MS } from "../domain/lease.ts";
import { admit } from "../domain/queue-limits.ts";
import type { Facts, Grant, InTransaction, Jobs, LockedQueue, NewLease, ReadyJob, Service } from "./ports.ts";

/** The most jobs that one transaction grants. */
export const MAX_GRANTS = 500;
/** Transactions that grant at once; more would only look into the same ranges. */
const MAX_IN_FLIGHT = 2;
const MAX_WAITING = 10_000;
/** How much input, as JSON, one answer carries; its first job it always does. */
const INPUT_LIMIT_BYTES = 2 * 1024 * 1024;
/**
 * How much one answer weighs as it is sent, its first job aside: clients of gRPC take 4 MiB unless they say otherwise,
 * and what cannot be sent costs each of its jobs an attempt that nobody sees. The heaviest job comes to 2.1 MiB.
 */
const ANSWER_LIMIT_BYTES = 3 * 1024 * 1024;
/** Inputs of this size weigh little whatever is in them: 500 of them fit, and none need be looked through. */
const SMALL_INPUT_BYTES = 512;
/** What a lease comes to without its input and labels: names and ids are of 128 characters at most. */
const LEASE_BYTES = 1024;
/** The tags and lengths of one label. */
const LABEL_BYTES = 12;

/** What one worker asks for. */
export interface Demand {
  readonly service: Service;
  readonly worker: string;
  readonly principal: string;
  /** Empty, or an id under which the same live leases are given again. */
  readonly requestId: string;
  /** 1 to 500. */
  readonly max: number;
  /** Aborted when the caller is gone: then nothing is granted. */
  readonly signal: AbortSignal;
}

interface LeaseDeps {
  readonly jobs: Jobs;
  readonly facts: Facts;
  readonly inTransaction: InTransaction;
  readonly announcements: Announcements<Moved>;
  /** Whether any queue has limits; false spares each grant the look. */
  readonly limitedQueues: () => boolean;
}

/** Grants jobs to workers. */
export interface LeaseJobs {
  /**
   * Grants what is ready now, without waiting for more.
   *
   * Demands for the same tasks and queues that come in while grants are written share the next transaction.
   *
   * @returns 0 to `max` grants, in the order in which they are to start; inputs of at most 2 MiB, and 3 MiB in all as
   * they are sent, one job aside
   * @throws Fault `OVERLOADED` · `DEPENDENCY_UNAVAILABLE`
   */
  lease(demand: Demand): Promise<readonly Grant[]>;
  /** Resolves when nothing is under way any more. */
  close(): Promise<void>;
}

interface Waiting {
  readonly demand: Demand;
  readonly resolve: (grants: readonly Grant[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** Grants to all workers; those that ask for the same share a transaction. */
export function createLeaseJobs(deps: LeaseDeps): LeaseJobs {
  const groups = new Map<string, Waiting[]>();
  const idle: (() => void)[] = [];
  let waiting = 0;
  let inFlight = 0;
  let scheduled = false;

  const schedule = (): void => {
    if (scheduled || waiting === 0 || inFlight >= MAX_IN_FLIGHT) return;
    scheduled = true;
    setImmediate(startNext);
  };
  const startNext = (): void => {
    scheduled = false;
    while (inFlight < MAX_IN_FLIGHT && waiting > 0) {
      const batch = takeGroup(groups);
      waiting -= batch.length;
      inFlight += 1;
      void serve(deps, batch).then(() => {
        inFlight -= 1;
        if (waiting > 0) startNext();
        else if (inFlight === 0) for (const resolve of idle.splice(0)) resolve();
      });
    }
  };
  return {
    lease: (demand) => {
      if (waiting >= MAX_WAITING) {
        const detail = `${MAX_WAITING} workers wait for leases already`;
        return Promise.reject(new Fault("OVERLOADED", { detail, retryAfterMs: 1_000 }));
      }
      const { promise, resolve, reject } = Promise.withResolvers<readonly Grant[]>();
      const key = groupKey(demand);
      const group = groups.get(key) ?? [];
      groups.set(key, group);
      group.push({ demand, resolve, reject });
      waiting += 1;
      schedule();
      return promise;
    },
    close: async () => {
      if (inFlight === 0 && waiting === 0) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      idle.push(resolve);
      await promise;
    },
  };
}

/** Demands that one look can serve. One with a request id goes alone: it may get older leases instead. */
function groupKey({ service, requestId, principal }: Demand): string {
  const { project, tasks, queues } = service;
  return JSON.stringify([project ?? null, tasks, queues, requestId, requestId === "" ? "" : principal]);
}

/**
 * Takes the demands of the group that waits longest, as many as one transaction grants; the group goes to the
 * end.
 */
function takeGroup(groups: Map<string, Waiting[]>): readonly Waiting[] {
  for (const [key, group] of groups) {
    let jobs = 0;
    const count = group.findIndex(({ demand: { max, requestId } }, index) => {
      jobs += max;
      // A request id stands for one set of leases: a second demand with it gets those of the first.
      return jobs > MAX_GRANTS || (index > 0 && requestId !== "");
    });
    const batch = group.splice(0, count === -1 ? group.length : Math.max(1, count));
    groups.delete(key);
    if (group.length > 0) groups.set(key, group);
    return batch;
  }
  return [];
}

async function serve(deps: LeaseDeps, batch: readonly Waiting[]): Promise<void> {
  const live = batch.filter(({ demand, resolve }) => {
    // A caller that went away while waiting must not be granted anything.
    if (demand.signal.aborted) resolve([]);
    return !demand.signal.aborted;
  });
  if (live.length === 0) return;
  try {
    const { grants, steps } = await deps.inTransaction((tx) =>
      grantAll(
        deps,
        tx,
        live.map(({ demand }) => demand),
      ),
    );
    deps.announcements.announce(steps);
    live.forEach(({ resolve }, index) => {
      resolve(grants[index] ?? []);
    });
  } catch (failure) {
    for (const { reject } of live) reject(failure);
  }
}

interface Granted {
  /** For each demand, in order. */
  readonly grants: readonly (readonly Grant[])[];
  readonly steps: readonly Moved[];
}

async function grantAll(deps: LeaseDeps, tx: Transaction, demands: readonly Demand[]): Promise<Granted> {
  const [first] = demands;
  if (first === undefined) return { grants: [], steps: [] };
  if (first.requestId !== "") {
    const { service, principal, requestId } = first;
    const before = await deps.jobs.leasedBefore(tx, { project: service.project, principal, requestId });
    if (before.length > 0) return { grants: demands.map(() => before), steps: [] };
  }
  const limit = Math.min(
    MAX_GRANTS,
    demands.reduce((sum, { max }) => sum + max, 0),
  );
  const { ready, queues, nowMs } = await readyJobs(deps, tx, first.service, limit, demands.length);
  const shares = shareOut(ready, demands);
  const leases = shares.flatMap((share, index) => leasesOf(share, demands[index] ?? first, nowMs));
  if (leases.length === 0) return { grants: demands.map(() => []), steps: [] };
  deps.jobs.saveGrants(tx, leases);
  const starts = startsOf(leases, queues, nowMs);
  if (starts.length > 0) await deps.jobs.noteStarts(tx, starts);
  const steps = leases.map(({ transition }) => transition);
  deps.facts.appendAll(tx, steps);
  const granted = new Map(leases.map((lease) => [lease.transition.job.id, lease]));
  return {
    steps,
    grants: shares.map((share) => share.flatMap((job) => grantOf(job, granted.get(job.job.id)))),
  };
}

/**
 * What is ready, in the order in which it is to start: from queues without limits, and as much as the others
 * allow.
 */
async function readyJobs(
  { jobs, limitedQueues }: LeaseDeps,
  tx: Transaction,
  service: Service,
  limit: number,
  demands: number,
): Promise<{ ready: readonly ReadyJob[]; queues: readonly LockedQueue[]; nowMs: number }> {
  const inputBytes = INPUT_LIMIT_BYTES * demands;
  const unlimited = await jobs.readyUnlimited(tx, { ...service, limit, inputBytes });
  if (!limitedQueues()) return { ...unlimited, queues: [] };
  const queues = await jobs.lockLimitedQueues(tx, service);
  if (queues.length === 0) return { ...unlimited, queues };
  const candidates = await jobs.candidates(tx, { ...service, limit }, queues);
  const admitted = new Set(
    queues.flatMap(({ project, name, limits, use }) => {
      const mine = candidates.filter(
        (candidate) => candidate.project === project && candidate.queue === name,
      );
      return admit(mine, limits, use);
    }),
  );
  if (admitted.size === 0) return { ...unlimited, queues };
  const first = firstWithin(
    candidates.filter((candidate) => admitted.has(candidate)),
    { limit, inputBytes },
  );
  const limited = await jobs.readyById(
    tx,
    first.map(({ id }) => id),
  );
  const ready = [...unlimited.ready, ...limited.ready].sort(byTurn).slice(0, limit);
  return { ready, queues, nowMs: Math.max(unlimited.nowMs, limited.nowMs) };
}

/** As many as are asked for, and as few as their inputs allow, the first always. */
function firstWithin<C extends Pick<ReadyJob, "inputBytes">>(
  candidates: readonly C[],
  { limit, inputBytes }: { limit: number; inputBytes: number },
): readonly C[] {
  let bytes = 0;
  const end = candidates.findIndex((candidate, index) => {
    bytes += candidate.inputBytes;
    return index > 0 && bytes > inputBytes;
  });
  return candidates.slice(0, end === -1 ? limit : Math.min(limit, end));
}

function byTurn({ job: a }: ReadyJob, { job: b }: ReadyJob): number {
  return b.priority - a.priority || a.runMs - b.runMs || (a.id < b.id ? -1 : 1);
}

/**
 * Gives each demand its jobs in turn: at most its number, and at most what one answer carries, its first job always.
 */
function shareOut(ready: readonly ReadyJob[], demands: readonly Demand[]): readonly (readonly ReadyJob[])[] {
  let next = 0;
  return demands.map(({ max }) => {
    const share: ReadyJob[] = [];
    let inputBytes = 0;
    let bytes = 0;
    while (share.length < max) {
      const job = ready[next];
      if (job === undefined) break;
      inputBytes += job.inputBytes;
      bytes += leaseBytes(job);
      if (share.length > 0 && (inputBytes > INPUT_LIMIT_BYTES || bytes > ANSWER_LIMIT_BYTES)) break;
      share.push(job);
      next += 1;
    }
    return share;
  });
}

/** No less than what a job comes to in an answer; to know it exactly would be to encode it. */
export function leaseBytes({ job, inputText = "", inputBytes }: ReadyJob): number {
  let bytes = LEASE_BYTES;
  bytes += inputBytes > SMALL_INPUT_BYTES ? valueBytes(inputText) : inputBytes * VALUE_GROWTH;
  // A UTF-16 code unit is three bytes of UTF-8 at most.
  for (const name in job.labels) {
    bytes += LABEL_BYTES + 3 * (name.length + (job.labels[name] ?? "").length);
  }
  return bytes;
}

function leasesOf(share: readonly ReadyJob[], demand: Demand, nowMs: number): readonly NewLease[] {
  return share.map(({ job }) => {
    const decision = grant(job, demand, nowMs);
    if (decision.kind !== "step") throw new Error(`job ${job.id} is ready and cannot be granted`);
    return {
      transition: { ...decision.step, attempt: begun(decision.step) },
      requestId: demand.requestId,
      leaseExpireMs: nowMs + LEASE_MS,
    };
  });
}

function begun({ attempt, job }: Transition<ReadyState>): Attempt {
  if (attempt === undefined) throw new Error(`the grant of job ${job.id} began no attempt`);
  return attempt;
}

function startsOf(leases: readonly NewLease[], queues: readonly LockedQueue[], nowMs: number) {
  return queues.flatMap(({ project, name, limits }) => {
    if (limits.rateLimit === 0) return [];
    const mine = leases.filter(({ transition: { job } }) => job.project === project && job.queue === name);
    return mine.length === 0 ? [] : [{ project, queue: name, starts: mine.length, atMs: nowMs }];
  });
}

const grantOf = ({ inputText }: ReadyJob, lease: NewLease | undefined): readonly Grant[] =>
  lease === undefined ? [] : [{ job: lease.transition.job, inputText, leaseExpireMs: lease.leaseExpireMs }];
