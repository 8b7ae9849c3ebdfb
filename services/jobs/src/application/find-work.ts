import type { Clock } from "@orrery/mesh/time/clock";
import type { Demand, LeaseJobs } from "./lease-jobs.ts";
import type { Grant } from "./ports.ts";
import type { ReadyBell } from "./ready-bell.ts";
import type { ReportAttempts } from "./report-attempts.ts";

/**
 * How long to trust the bell alone: it may not ring when another replica made a job ready and the broker is
 * away.
 */
export const POLL_MS = 500;

export interface FindWorkDeps {
  readonly leases: LeaseJobs;
  readonly reports: ReportAttempts;
  readonly bell: ReadyBell;
  readonly clock: Clock;
  /** Ended when this process is about to stop: nothing is granted any more, and who waits is told so. */
  readonly draining: AbortSignal;
}

/**
 * Leases jobs, and waits for some if there are none.
 *
 * @param waitMs - 0 to 30,000
 * @returns no grant when the time is up or the caller is gone; what a caller that left at the last moment was
 * granted goes back at once and does not count
 */
export async function findWork(
  deps: FindWorkDeps,
  demand: Demand,
  waitMs: number,
): Promise<readonly Grant[]> {
  const { leases, bell, clock, draining } = deps;
  const untilMs = clock.monotonicMs() + waitMs;
  using listener = bell.listen(demand.service.tasks);
  const over = AbortSignal.any([demand.signal, draining]);
  for (;;) {
    if (draining.aborted) return [];
    const grants = await leases.lease(demand);
    if (demand.signal.aborted) {
      await giveBack(deps, demand, grants);
      return [];
    }
    const leftMs = untilMs - clock.monotonicMs();
    if (grants.length > 0 || leftMs <= 0) return grants;
    await listener.next(Math.min(leftMs, POLL_MS), over);
    if (demand.signal.aborted) return [];
  }
}

/** Gives back what a caller did not live to hear of. */
export async function giveBack(
  { reports }: FindWorkDeps,
  demand: Pick<Demand, "service" | "principal">,
  grants: readonly { readonly job: Pick<Grant["job"], "id" | "attempt"> }[],
): Promise<void> {
  const by = { project: demand.service.project, principal: demand.principal };
  await reports.reportAll(
    grants.map(({ job }) => ({
      jobId: job.id,
      epoch: job.attempt,
      digest: "release",
      word: { kind: "release" },
      by,
      outputText: undefined,
    })),
  );
}
