import type { Logger } from "@orrery/mesh/telemetry/logger";
import { wait } from "@orrery/mesh/time/wait";
import type { Moved } from "../domain/job.ts";
import type { Leases } from "./ports.ts";

const POLL_MS = 500;

/** A worker's open stream, as far as cancellations concern it. */
interface WorkSession {
  /** Asks the worker to stop an attempt. */
  cancel(lease: { jobId: string; epoch: number }): void;
  /** Tells the worker to go elsewhere. */
  drain(): void;
}

/** Which stream holds which lease, so that a request to cancel reaches its worker within a second. */
export interface WorkSessions {
  open(session: WorkSession): Disposable;
  hold(jobId: string, epoch: number, session: WorkSession): void;
  let(jobId: string): void;
  /** Passes on requests that this process has just committed; those of other replicas are polled for. */
  nudge(changes: readonly Moved[]): void;
  drainAll(): void;
}

interface Held {
  readonly epoch: number;
  readonly session: WorkSession;
  told: boolean;
}

/** The sessions of one process; it asks the store for cancellations while any is open. */
export function createWorkSessions(deps: {
  leases: Leases;
  logger: Logger;
  signal: AbortSignal;
}): WorkSessions {
  const held = new Map<string, Held>();
  const sessions = new Set<WorkSession>();
  let polling = false;

  const tell = (jobId: string, epoch: number): void => {
    const lease = held.get(jobId);
    if (lease === undefined || lease.epoch !== epoch || lease.told) return;
    lease.told = true;
    lease.session.cancel({ jobId, epoch });
  };
  const poll = async (): Promise<void> => {
    polling = true;
    while (sessions.size > 0 && !deps.signal.aborted) {
      try {
        if (held.size > 0)
          for (const { jobId, epoch } of await deps.leases.cancelRequested()) tell(jobId, epoch);
      } catch (failure) {
        deps.logger.warn("requests to cancel could not be looked for", { reason: String(failure) });
      }
      await wait(POLL_MS, deps.signal);
    }
    polling = false;
  };

  return {
    open: (session) => {
      sessions.add(session);
      if (!polling) void poll();
      return {
        [Symbol.dispose]: () => {
          sessions.delete(session);
          for (const [jobId, lease] of held) if (lease.session === session) held.delete(jobId);
        },
      };
    },
    hold: (jobId, epoch, session) => {
      held.set(jobId, { epoch, session, told: false });
    },
    let: (jobId) => {
      held.delete(jobId);
    },
    nudge: (changes) => {
      if (held.size === 0) return;
      for (const { fact, job, from } of changes) {
        if (fact === "JobCancelRequested") tell(job.id, job.attempt);
        // Ended by somebody else than its worker: the stream need not remember it.
        else if (from === "RUNNING") held.delete(job.id);
      }
    },
    drainAll: () => {
      for (const session of sessions) session.drain();
    },
  };
}
