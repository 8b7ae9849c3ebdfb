import { type Batcher, createBatcher } from "@orrery/mesh/batching/batcher";
import type { Announcements } from "@orrery/mesh/outbox/announcements";
import type { Transaction } from "@orrery/mesh/postgres/pool";
import type { Metrics } from "@orrery/mesh/telemetry/metrics";
import type { Chance } from "@orrery/mesh/time/clock";
import {
  type AttemptWord,
  type HeldJob,
  hear,
  isOpen,
  type WordRefusal,
} from "../domain/attempt-decisions.ts";
import type { Attempt, Decision, Moved } from "../domain/job.ts";
import type { Change, Facts, InTransaction, Jobs, WorkCaller } from "./ports.ts";

const MAX_ITEMS = 500;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_QUEUED = 50_000;

/** One word of a worker about one attempt. */
export interface Report extends AttemptWord {
  readonly by: WorkCaller;
  /** The JSON that the job returned: for a success. */
  readonly outputText: string | undefined;
}

/** What became of a report. `replayed`: the same word was accepted before. */
export type ReportOutcome =
  | { readonly ok: true; readonly replayed: boolean }
  | { readonly ok: false; readonly reason: WordRefusal };

interface ReportDeps {
  readonly jobs: Jobs;
  readonly facts: Facts;
  readonly inTransaction: InTransaction;
  readonly chance: Chance;
  readonly announcements: Announcements<Moved>;
  /** Where the items that wait for a batch show. */
  readonly metrics?: Metrics;
}

/** Takes workers' words about their attempts. */
export interface ReportAttempts {
  /**
   * Takes the words of one message, in one transaction, which those that come in meanwhile share; a refusal is an
   * outcome.
   *
   * @returns one outcome for each, in order
   */
  reportAll(reports: readonly Report[]): Promise<readonly ReportOutcome[]>;
  /** Takes nothing more, and resolves when everything taken has its outcome. */
  close(): Promise<void>;
}

/**
 * Ends attempts for the workers that hold their leases.
 *
 * I7: each word is matched with the open lease under the job's row lock; what comes with an old epoch changes
 * nothing.
 */
export function createReportAttempts(deps: ReportDeps): ReportAttempts {
  const batcher: Batcher<Report, ReportOutcome> = createBatcher({
    name: "report",
    maxItems: MAX_ITEMS,
    maxQueued: MAX_QUEUED,
    metrics: deps.metrics,
    maxWeight: MAX_BYTES,
    weigh: ({ outputText }) => outputText?.length ?? 0,
    run: async (reports) => {
      const { outcomes, changes } = await deps.inTransaction((tx) => reportAll(deps, tx, reports));
      deps.announcements.announce(changes);
      return outcomes;
    },
  });
  return {
    reportAll: async (all) => {
      const outcomes = await batcher.submitAll(all);
      return outcomes.map((outcome) => {
        if (outcome instanceof Error) throw outcome;
        return outcome;
      });
    },
    close: () => batcher.close(),
  };
}

/**
 * Takes all words of a batch. Successes first, in one statement: what is left for the rules is every other word, and
 * the successes that are not taken, with the reason why.
 */
async function reportAll(
  deps: ReportDeps,
  tx: Transaction,
  reports: readonly Report[],
): Promise<{ outcomes: readonly ReportOutcome[]; changes: readonly Moved[] }> {
  const { jobs, facts } = deps;
  const successes = reports.filter(aloneInSuccess(reports));
  const succeeded = successes.length === 0 ? [] : await jobs.succeedAll(tx, successes);
  const ended = new Set(succeeded.map(({ job }) => job.id));
  const others = reports.filter(({ jobId }) => !ended.has(jobId));
  const heard = others.length === 0 ? { outcomes: [], changes: [] } : await hearAll(deps, tx, others);
  const changes = [...succeeded, ...heard.changes];
  if (changes.length > 0) facts.appendAll(tx, changes);
  let next = 0;
  const outcomes = reports.map(({ jobId }): ReportOutcome => {
    if (ended.has(jobId)) return TAKEN;
    const outcome = heard.outcomes[next];
    next += 1;
    if (outcome === undefined) throw new RangeError("a report got no outcome");
    return outcome;
  });
  return { outcomes, changes };
}

const TAKEN: ReportOutcome = { ok: true, replayed: false };

/** Whether a report says that a job succeeded, and no other of the batch says anything of that job. */
function aloneInSuccess(reports: readonly Report[]): (report: Report) => boolean {
  const named = new Set<string>();
  const twice = new Set<string>();
  for (const { jobId } of reports) {
    if (named.has(jobId)) twice.add(jobId);
    else named.add(jobId);
  }
  return ({ jobId, word }) => word.kind === "complete" && !twice.has(jobId);
}

/** Lets the rules decide about each word in turn, and writes the steps. */
async function hearAll(
  { jobs, chance }: ReportDeps,
  tx: Transaction,
  reports: readonly Report[],
): Promise<{ outcomes: readonly ReportOutcome[]; changes: readonly Change[] }> {
  const { held, nowMs } = await jobs.lockAll(tx, reports);
  const attempts = await pastAttempts(jobs, tx, reports, held);
  const changes: Change[] = [];
  const outcomes = reports.map((report): ReportOutcome => {
    const job = held.get(report.jobId);
    const seen = job && { ...job, attempt: attempts.get(nameOf(report)) ?? job.attempt };
    const decision = hear(seen, report, report.by, { nowMs, chance: chance.next() });
    if (decision.kind === "step") {
      const { step } = decision;
      changes.push({ ...step, outputText: step.fact === "JobSucceeded" ? report.outputText : undefined });
      // The same job may be named again in this batch: the next word meets the state that this one left.
      held.set(report.jobId, { job: step.job, lease: undefined, attempt: undefined });
      if (step.attempt !== undefined) attempts.set(nameOf(report), step.attempt);
    }
    return outcomeOf(decision);
  });
  if (changes.length > 0) await jobs.saveAll(tx, changes);
  return { outcomes, changes };
}

/**
 * Attempts that no open lease stands for any more: read now, under the locks, because they may just have
 * ended.
 */
async function pastAttempts(
  jobs: Jobs,
  tx: Transaction,
  reports: readonly Report[],
  held: ReadonlyMap<string, HeldJob>,
): Promise<Map<string, Attempt>> {
  const past = reports.filter(({ jobId, epoch }) => {
    const known = held.get(jobId);
    // A lease that ended while this waited for the job's lock may still be seen: the job says that it ended.
    return known !== undefined && !isOpen(known, epoch);
  });
  if (past.length === 0) return new Map();
  const attempts = await jobs.attemptsAt(tx, past);
  return new Map(attempts.map((attempt) => [`${attempt.jobId}:${attempt.attempt}`, attempt]));
}

const nameOf = ({ jobId, epoch }: Report): string => `${jobId}:${epoch}`;

function outcomeOf(decision: Decision<WordRefusal>): ReportOutcome {
  if (decision.kind === "refused") return { ok: false, reason: decision.reason };
  return { ok: true, replayed: decision.kind === "same" };
}
