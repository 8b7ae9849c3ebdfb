import type { Clock } from "@orrery/mesh/time/clock";
import { type Around, type QueuedJob, type WhyQueued, whyQueued } from "../domain/why-queued.ts";
import type { AskedFor, JobsPeer } from "./ports.ts";

/** Tells what holds QUEUED jobs now. */
export interface QueuedReasons {
  /** One answer for each job, in order; all undefined while the jobs service does not say. Never fails. */
  of(jobs: readonly QueuedJob[], askedFor: AskedFor): Promise<readonly (WhyQueued | undefined)[]>;
}

/** How long an answer of the jobs service is used: many lists are read over and over. */
const FRESH_MS = 1_000;
/** What of a read's time this may take: a list without reasons is better than a late one. */
const ASK_MS = 500;
const KNOWN_PROJECTS = 1_000;

/**
 * Who holds a job back is no transition of it, so no event tells: queues and workers are asked for, once in a second
 * for each project whose waiting jobs are read, and not at all where none waits.
 */
export function createQueuedReasons({
  peer,
  clock,
}: {
  readonly peer: JobsPeer;
  readonly clock: Clock;
}): QueuedReasons {
  const known = new Map<string, { readonly askedMs: number; readonly around: Promise<Around | undefined> }>();
  const aroundOf = (askedFor: AskedFor): Promise<Around | undefined> => {
    const { project } = askedFor.onBehalf;
    const nowMs = clock.monotonicMs();
    const last = known.get(project);
    if (last !== undefined && nowMs - last.askedMs < FRESH_MS) return last.around;
    if (known.size >= KNOWN_PROJECTS) known.clear();
    const around = ask(peer, askedFor).catch(() => undefined);
    known.set(project, { askedMs: nowMs, around });
    return around;
  };
  return {
    of: async (jobs, askedFor) => {
      if (jobs.length === 0) return [];
      const around = await aroundOf(askedFor);
      return jobs.map((job) => (around === undefined ? undefined : whyQueued(job, around)));
    },
  };
}

async function ask(peer: JobsPeer, askedFor: AskedFor): Promise<Around> {
  // Others wait for the same answer: it does not end with the read that happened to ask.
  const timeoutMs = Math.min(ASK_MS, askedFor.timeoutMs);
  const shared = { ...askedFor, timeoutMs, signal: new AbortController().signal };
  const [queues, listed] = await Promise.all([peer.listQueues(shared), peer.listWorkers(shared)]);
  return {
    queues: new Map(
      queues.map(({ name, paused, depth, concurrency, concurrencyPerKey, rate }) => [
        name,
        {
          name,
          paused,
          running: depth.RUNNING ?? 0,
          concurrency,
          concurrencyPerKey,
          rateLimit: rate?.limit ?? 0,
        },
      ]),
    ),
    workers: listed.workers,
    allWorkers: listed.workers.length === listed.totalSize,
  };
}
