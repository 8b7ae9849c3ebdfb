import { Fault } from "@orrery/mesh/fault/fault";
import type { Job } from "../domain/job.ts";
import type { Change, StepIds } from "./ports.ts";
import { createRegister, noRoom } from "./register.ts";
import { accept, openSubmitSpans, type SubmitDeps, type SubmitItem } from "./submit-jobs.ts";

/** The job of a mission's step: what to submit, and the id that it has for ever. */
export interface StepItem extends SubmitItem {
  readonly jobId: string;
}

interface SubmitStepsDeps extends Omit<SubmitDeps, "keys" | "encodeJob" | "metrics"> {
  readonly stepIds: StepIds;
}

const refusedId = (): Fault =>
  new Fault("IDEMPOTENCY_KEY_REUSED", { detail: "the job of this id belongs to another step" });

/**
 * Submits the jobs of missions' steps, all in one transaction. A job that is there already answers as it is, also when
 * it has ended: its id is the key, and holds for ever.
 *
 * @returns one outcome for each step, in order; a refusal never touches its neighbours
 * @throws Fault `DEPENDENCY_UNAVAILABLE`
 */
export function createSubmitSteps(deps: SubmitStepsDeps) {
  const { jobs, facts, queues, stepIds, clock } = deps;
  const register = createRegister(queues);
  const write = (items: readonly StepItem[]) =>
    deps.inTransaction(async (tx) => {
      await stepIds.hold(
        tx,
        items.map(({ jobId }) => jobId),
      );
      const { held } = await jobs.lockAll(tx, items);
      const known = new Map([...held].map(([id, { job }]) => [id, job]));
      const changes: Change[] = [];
      const fresh = items.filter(({ jobId }) => !known.has(jobId)).map(({ submission }) => submission);
      const { entries, has } = await register.enter(tx, fresh);
      const results = items.map((item) => {
        const there = known.get(item.jobId);
        if (there !== undefined) return isSame(there, item) ? there : refusedId();
        if (!has(item.submission)) return noRoom(item.submission);
        const change = accept(item, clock.nowMs(), item.jobId);
        if (change instanceof Fault) return change;
        known.set(item.jobId, change.job);
        changes.push(change);
        return change.job;
      });
      if (changes.length > 0) {
        jobs.insertAll(tx, changes);
        facts.appendAll(tx, changes);
      }
      return { results, changes, entries };
    });
  return async (items: readonly StepItem[]): Promise<readonly (Job | Fault)[]> => {
    const spans = openSubmitSpans(items);
    try {
      const { results, changes, entries } = await write(items);
      spans.committed(results.map((result) => (result instanceof Fault ? result : { job: result })));
      register.remember(entries);
      deps.announcements.announce(changes);
      return results;
    } finally {
      spans.end();
    }
  };
}

/** The use case that submits the jobs of missions' steps. */
export type SubmitSteps = ReturnType<typeof createSubmitSteps>;

const isSame = (job: Job, { submission }: StepItem): boolean =>
  job.project === submission.project &&
  job.missionId === submission.missionId &&
  job.step === submission.step;
