import type { Transaction } from "@orrery/mesh/postgres/pool";
import { type JobEnd, learn } from "../domain/decisions.ts";
import type { Mission, Progress, Transition } from "../domain/mission.ts";
import { type DecisionDeps, inShares, momentAt, record } from "./decide-missions.ts";
import { type DecisionSpans, decisionSpans } from "./mission-spans.ts";
import type { AwaitedJob, Errands } from "./ports.ts";

/** How a job ended, and at which of its versions: 0 where the jobs service never took it. */
export interface KnownEnd {
  readonly jobId: string;
  readonly version: number;
  readonly end: JobEnd;
}

export interface TakeInDeps extends DecisionDeps {
  readonly errands: Errands;
}

/**
 * Takes in how jobs ended, and moves their missions on. Each end counts once: what was taken in before, comes twice or
 * belongs to no mission changes nothing, so that it does not matter how often or in which order ends are told.
 *
 * @throws Fault as Pool.transaction does: what was not taken in then is to be told again
 */
export const takeInEnds =
  (deps: TakeInDeps) =>
  async (ends: readonly KnownEnd[]): Promise<void> => {
    if (ends.length === 0) return;
    const byJob = new Map(ends.map((known) => [known.jobId, known]));
    const awaited = await deps.errands.awaited([...byJob.keys()]);
    const news = awaited.filter((job) => isNews(job, byJob));
    await inShares(news, async (share) => {
      using spans = decisionSpans("mission.advance");
      const transitions = await deps.inTransaction((tx) => takeInShare({ ...deps, spans }, tx, share, byJob));
      spans.committed();
      deps.announcements.announce(transitions);
    });
  };

const isNews = ({ jobId, seenVersion }: AwaitedJob, ends: ReadonlyMap<string, KnownEnd>): boolean => {
  const version = ends.get(jobId)?.version;
  // A refusal has no version, and none comes for a job that has one.
  return version !== undefined && (version === 0 || version > seenVersion);
};

async function takeInShare(
  deps: TakeInDeps & { readonly spans: DecisionSpans },
  tx: Transaction,
  share: readonly AwaitedJob[],
  ends: ReadonlyMap<string, KnownEnd>,
): Promise<readonly Transition[]> {
  const { held, nowMs } = await deps.missions.lockAll(
    tx,
    share.map(({ missionId }) => missionId),
  );
  deps.spans.open(held.values());
  // Asked again under the locks: another replica may have taken the same ends in.
  const awaited = await deps.errands.awaitedIn(
    tx,
    share.map(({ jobId }) => jobId),
  );
  const moment = momentAt(deps, nowMs);
  const decided = new Map<string, { before: Mission; progress: Progress }>();
  const closed: KnownEnd[] = [];
  for (const job of awaited) {
    const known = ends.get(job.jobId);
    const before = held.get(job.missionId);
    if (known === undefined || before === undefined || !isNews(job, ends)) continue;
    const earlier = decided.get(job.missionId)?.progress;
    const progress = learn(earlier?.mission ?? before, known, moment);
    decided.set(job.missionId, { before, progress: joined(earlier, progress) });
    closed.push(known);
  }
  if (closed.length > 0) await deps.errands.close(tx, closed);
  return record(deps, tx, [...decided.values()]);
}

const joined = (earlier: Progress | undefined, later: Progress): Progress => ({
  mission: later.mission,
  transitions: [...(earlier?.transitions ?? []), ...later.transitions],
  errands: [...(earlier?.errands ?? []), ...later.errands],
});
