import { Fault } from "@orrery/mesh/fault/fault";
import { type KeyedRequest, storedAnswer } from "@orrery/mesh/idempotency/keys";
import type { Announcements } from "@orrery/mesh/outbox/announcements";
import type { Moved } from "../domain/job.ts";
import { type CommandRefusal, type JobCommand, obey } from "../domain/job-decisions.ts";
import type { Caller, Change, Facts, IdempotencyKeys, InTransaction, Jobs, JobView } from "./ports.ts";
import { NO_SUCH_JOB, readJob } from "./read-jobs.ts";

interface CommandDeps {
  readonly jobs: Jobs;
  readonly facts: Facts;
  readonly keys: IdempotencyKeys;
  readonly inTransaction: InTransaction;
  readonly announcements: Announcements<Moved>;
  /** Writes a job as it is answered, to be stored with its key. */
  readonly encodeView: (view: JobView) => Uint8Array;
}

/** A command about one job. */
export interface CommandRequest {
  readonly id: string;
  readonly command: JobCommand;
  readonly keyed: KeyedRequest | undefined;
}

const DETAILS: Readonly<Record<CommandRefusal, string>> = {
  NOT_FOUND: NO_SUCH_JOB,
  JOB_ALREADY_FINISHED: "the job has already ended",
  JOB_NOT_RETRYABLE: "only a job that ended FAILED, CANCELLED or EXPIRED can be retried",
  JOB_OWNED_BY_MISSION: "the job is a step of a mission, which alone cancels and retries it",
};

/**
 * Cancels or retries a job.
 *
 * @returns the job after it, or the stored answer to the same request before
 * @throws Fault `NOT_FOUND` · `JOB_ALREADY_FINISHED` · `JOB_NOT_RETRYABLE` · `JOB_OWNED_BY_MISSION` ·
 * `IDEMPOTENCY_IN_FLIGHT` (retry after 1 s) · `IDEMPOTENCY_KEY_REUSED`
 */
export const commandJob =
  ({ jobs, facts, keys, inTransaction, announcements, encodeView }: CommandDeps) =>
  async (
    request: CommandRequest,
    { project }: Caller,
  ): Promise<{ view: JobView } | { replay: Uint8Array }> => {
    const { id, command, keyed } = request;
    const changes: Change[] = [];
    const answer = await inTransaction(
      async (tx) => {
        changes.length = 0;
        const [state] = keyed === undefined ? [] : await keys.claimAll(tx, [keyed]);
        const replay = keyed && state && storedAnswer(keyed, state);
        if (replay !== undefined) return { replay };
        const { held, nowMs } = await jobs.lockAll(tx, [{ jobId: id }]);
        const decision = obey(held.get(id)?.job, project, command, nowMs);
        if (decision.kind === "refused")
          throw new Fault(decision.reason, { detail: DETAILS[decision.reason] });
        if (decision.kind === "step") {
          changes.push(decision.step);
          await jobs.saveAll(tx, changes);
          facts.appendAll(tx, changes);
        }
        const view = await readJob(jobs)(project, id, tx);
        if (keyed !== undefined) keys.storeAll(tx, [{ ...keyed, response: encodeView(view) }]);
        return { view };
      },
      { projects: [project] },
    );
    announcements.announce(changes);
    return answer;
  };
